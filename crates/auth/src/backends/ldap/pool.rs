//! The connections to a directory: those of the account that searches, which are kept, and those
//! by which visitors prove who they are, which are used once.

use std::sync::{
    Mutex, MutexGuard, PoisonError,
    atomic::{AtomicUsize, Ordering},
};

use tokio::{
    sync::Semaphore,
    time::{Duration, Instant, timeout},
};
use vestibule_core::{Secret, ports::backend::Fault};

use super::{
    connection::{Ask, Connection, Found},
    results::{self, Bound},
    settings::Servers,
    transport,
};

/// What stays unused for longer is let go, before a firewall forgets it.
const IDLE: Duration = Duration::from_secs(50);

/// The connections to a directory.
pub(super) struct Pool {
    servers: Servers,
    idle: Mutex<Vec<Connection>>,
    searching: Semaphore,
    binding: Semaphore,
    /// The server that answered last.
    preferred: AtomicUsize,
}

impl Pool {
    /// Of these servers; nobody is asked yet.
    pub(super) fn new(servers: Servers, size: usize) -> Self {
        Self {
            servers,
            idle: Mutex::default(),
            searching: Semaphore::new(size),
            binding: Semaphore::new(size),
            preferred: AtomicUsize::new(0),
        }
    }

    /// Searches, as the account that searches. A connection that turns out to be broken is
    /// replaced, and the search, which changes nothing, made once more.
    pub(super) async fn search(&self, ask: &Ask<'_>) -> Result<Found, Fault> {
        let _place = self.place(&self.searching).await?;
        if let Some(mut kept) = self.kept() {
            // A firewall that has forgotten it lets nothing through and says nothing.
            match timeout(self.servers.connect_timeout, kept.search(ask)).await {
                Ok(Ok(found)) => return Ok(self.keep(kept, found)),
                Ok(Err(fault)) if !fault.is_passing() => return Err(fault),
                Ok(Err(_)) | Err(_) => {}
            }
        }
        let mut fresh = self.open(true).await?;
        let found = fresh.search(ask).await?;
        Ok(self.keep(fresh, found))
    }

    /// Tries a visitor's name and password, over a connection that is used for nothing else and
    /// never twice: a wrong password counts there, so that nothing is repeated either.
    pub(super) async fn try_password(&self, dn: &str, password: &str) -> Result<Bound, Fault> {
        let _place = self.place(&self.binding).await?;
        self.open(false).await?.bind(dn, password).await
    }

    async fn place<'a>(
        &self,
        places: &'a Semaphore,
    ) -> Result<tokio::sync::SemaphorePermit<'a>, Fault> {
        places.acquire().await.map_err(|closed| Fault::Bug(closed.to_string()))
    }

    /// The connection that was used last and is still there.
    fn kept(&self) -> Option<Connection> {
        let mut idle = lock(&self.idle);
        let now = Instant::now();
        idle.retain_mut(|one| now.duration_since(one.idle_since) < IDLE && !one.is_closed());
        idle.pop()
    }

    fn keep(&self, mut connection: Connection, found: Found) -> Found {
        connection.idle_since = Instant::now();
        lock(&self.idle).push(connection);
        found
    }

    /// Connects to the server that answered last, and to the others where it does not.
    async fn open(&self, as_ourselves: bool) -> Result<Connection, Fault> {
        let count = self.servers.all.len();
        let first = self.preferred.load(Ordering::Relaxed);
        let mut failed = Fault::Misconfigured("there is no server".to_owned());
        for at in (0..count).map(|step| (first + step) % count) {
            let one = self.open_at(at, as_ourselves);
            failed = match timeout(self.servers.connect_timeout, one).await {
                Ok(Ok(connection)) => {
                    self.preferred.store(at, Ordering::Relaxed);
                    return Ok(connection);
                }
                Ok(Err(fault)) => fault,
                Err(_) => Fault::Timeout,
            };
        }
        Err(failed)
    }

    async fn open_at(&self, at: usize, as_ourselves: bool) -> Result<Connection, Fault> {
        let io = transport::connect(&self.servers.all[at], &self.servers.tls).await?;
        let mut connection = Connection::over(io).await?;
        if let (true, Some((dn, password))) = (as_ourselves, &self.servers.account) {
            let password = password.expose_str().unwrap_or_default();
            results::of_own_bind(&connection.bind(dn, password).await?)?;
        }
        Ok(connection)
    }
}

/// The account that searches.
pub(super) type Account = (String, Secret);

fn lock(idle: &Mutex<Vec<Connection>>) -> MutexGuard<'_, Vec<Connection>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}
