//! The rules of a cluster, over its public API. Each test has the number of its rule.

mod c10_fifty_nodes;
mod c14_routing;
mod c15_hop;
mod c16_heads;
mod c17_bodies;
mod c17_death;
mod c17_tunnels;
mod c19_strangers;
mod c23_sessions_of;
mod deploy;
mod directories;
mod http_client;
mod http_hostile;
mod http_kit;
mod http_routings;
mod in_process;
mod node;
mod redis;
