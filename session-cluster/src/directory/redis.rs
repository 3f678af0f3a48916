//! A directory in Redis or Valkey.
