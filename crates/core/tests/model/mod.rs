//! Random small worlds and a naive account of who may do what in them.

pub(crate) mod naive;
pub(crate) mod world;
