//! The one integration binary: one module a room.

mod kubernetes;
