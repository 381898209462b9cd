//! What the rules come to on the sites they were made for: one file to a site, its rows by id.

#![expect(clippy::unwrap_used, reason = "a test that cannot go on says so by panicking")]

mod coralnet;
mod explain;
mod ktbs;
mod omero;
mod openquake;
mod site;
