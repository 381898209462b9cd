//! What commands work with: the use cases on the configured database, as the operator.

use std::sync::Arc;

use vestibule_core::{
    OpCx, SystemClock, SystemEntropy,
    domain::{group::Group, user::User},
    id::{GroupId, UserId},
    usecase::{error::AdminError, login::Door},
};

use super::{CliError, Global};
use crate::{
    compose::{Parts, compose},
    config::Settings,
    site::{Services, Site},
};

/// The use cases, and the context of the operator.
pub(crate) struct Hall {
    pub(crate) site: Site,
    pub(crate) cx: OpCx,
}

impl Hall {
    /// Opens the configured database; it must be up to date.
    pub(crate) async fn open(settings: Settings) -> Result<Self, CliError> {
        Self::with_doors(settings, Vec::new()).await
    }

    /// The same with the ways in, for what has to ask one of them.
    pub(crate) async fn with_doors(settings: Settings, doors: Vec<Door>) -> Result<Self, CliError> {
        let parts = Parts {
            storage: None,
            doors,
            transport: None,
            clock: Arc::new(SystemClock),
            entropy: Arc::new(SystemEntropy),
            migrate: false,
        };
        let site = compose(settings, parts).await?;
        let cx = OpCx::for_cli(Arc::clone(&site.clock), Arc::clone(&site.entropy));
        Ok(Self { site, cx })
    }

    pub(crate) fn services(&self) -> &Services {
        &self.site.services
    }

    /// The account that is meant by a login name or an id.
    pub(crate) async fn user(&self, name: &str) -> Result<User, CliError> {
        let found = match name.parse::<UserId>() {
            Ok(id) => self.services().users.get(&self.cx, id).await,
            Err(_) => self.services().users.by_name(&self.cx, name).await,
        };
        named(found, "user", name)
    }

    /// The group that is meant by a name or an id.
    pub(crate) async fn group(&self, name: &str) -> Result<Group, CliError> {
        let found = match name.parse::<GroupId>() {
            Ok(id) => self.services().groups.get(&self.cx, id).await,
            Err(_) => self.services().groups.by_name(&self.cx, name).await,
        };
        named(found, "group", name)
    }
}

fn named<T>(found: Result<T, AdminError>, kind: &str, name: &str) -> Result<T, CliError> {
    match found {
        Err(AdminError::NotFound(_)) => {
            Err(CliError::Failed(format!("there is no {kind} {name:?}")))
        }
        other => Ok(other?),
    }
}

/// Runs a command's work to its end.
pub(crate) fn block_on<T>(work: impl Future<Output = Result<T, CliError>>) -> Result<T, CliError> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(work)
}

/// Runs a command's work on the configured database.
pub(crate) fn with_hall<T>(
    global: &Global,
    work: impl AsyncFnOnce(Hall) -> Result<T, CliError>,
) -> Result<T, CliError> {
    let settings = Settings::load(&global.sources())?;
    block_on(async { work(Hall::open(settings).await?).await })
}
