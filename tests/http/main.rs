//! Sessions over http. These are the contract's rows 18 to 21, 23, 24 and 29 to 33, through the service alone and over
//! real connections.

mod activity;
mod client;
mod cookies;
mod extractors;
mod kit;
mod r18_attacks;
mod r18_orders;
mod r19;
mod r20;
mod r20_bodies;
mod r20_unreached;
mod r21_superseded;
mod r23_reasons;
mod r24_unconfirmed;
mod r29_event_streams;
mod r29_session_events;
mod r29_until_completed;
mod r30_end;
mod r30_hostile_clients;
mod r30_origin;
mod r30_pings;
mod r30_upgrade;
mod r31_hostile_clients;
mod r31_serve;
mod r32_log_in;
mod r33_from_extensions;
mod r33_headers;
mod r33_own_transport;
mod r33_places;
mod r33_transports;
mod rejections;
mod security_page;
mod services;
mod sockets;
mod wire;
