//! A site under test, and the visitors who come to it.

pub(crate) mod acts;
#[cfg(feature = "full")]
pub(crate) mod browser;
pub(crate) mod post;
pub(crate) mod scripted;
pub(crate) mod site;
pub(crate) mod visitor;

pub(crate) use acts::{check, grant, group, id_of, join, questions};
pub(crate) use post::{Post, token_in, with_address};
pub(crate) use scripted::{Says, Script};
pub(crate) use site::{Db, TestSite, block_on};
pub(crate) use visitor::{Answer, Visitor};

/// The password of every account that tests make.
pub(crate) const PASSWORD: &str = "a long sentence to get in with";

/// Runs each of these functions once for every database of the build.
macro_rules! on_every_database {
    ($($(#[$meta:meta])* $name:ident),+ $(,)?) => {
        mod sqlite {
            $($(#[$meta])* #[test] fn $name() { super::$name($crate::support::Db::Sqlite); })+
        }
        #[cfg(feature = "postgres")]
        mod postgres {
            $($(#[$meta])* #[test] fn $name() { super::$name($crate::support::Db::Postgres); })+
        }
        #[cfg(feature = "mysql")]
        mod mysql {
            $($(#[$meta])* #[test] fn $name() { super::$name($crate::support::Db::Mysql); })+
        }
    };
}
pub(crate) use on_every_database;
