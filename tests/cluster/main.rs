//! Several nodes as one service, in one process: the rules of the cluster, by their numbers.

mod c14_routing;
mod c15_hop;
mod c16_heads;
mod c17_bodies;
mod c17_death;
mod c17_tunnels;
mod c19_strangers;
mod c23_sessions_of;
mod http_client;
mod http_hostile;
mod http_kit;
mod http_routings;
