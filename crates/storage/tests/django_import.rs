//! The import of Django sites: whole sites, broken ones, changed ones, and runs that are cut off.

#![expect(clippy::unwrap_used, reason = "what a test relies on fails the test")]

#[path = "django_import/addresses.rs"]
mod addresses;
#[path = "django_import/again.rs"]
mod again;
#[path = "django_import/broken.rs"]
mod broken;
#[path = "django_import/cut_off.rs"]
mod cut_off;
#[path = "django_import/servers.rs"]
mod servers;
#[path = "django_import/sources.rs"]
mod sources;
#[path = "django_import/support.rs"]
mod support;
#[path = "django_import/whole.rs"]
mod whole;
