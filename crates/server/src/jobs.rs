//! What runs beside the requests: asking for changes, writing down last uses, clearing away.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicBool, Ordering},
    },
    thread::{JoinHandle, Thread},
    time::Duration,
};

use actix_web::web;
use futures_util::future::FutureExt;
use vestibule_core::{OpCx, domain::notice::SiteNews, id::NoticeId, ports::store::StoreError};

use crate::{doorkeeper::Doorkeeper, embed::spawn, mail::MailThread, site::Site};

/// How often the database is asked for changes made elsewhere: often enough that a revocation is
/// heard of well within the second for which memory is trusted.
const SYNC_EVERY: Duration = Duration::from_millis(200);
/// How often last uses are written down, and expired things cleared away, in rounds of the above.
const SEEN_EVERY: u32 = 25;
const CLEAR_EVERY: u32 = 300;
/// For how long a server that ends waits for the mails that say so, and how often it looks.
const FAREWELL: Duration = Duration::from_secs(5);
const FAREWELL_LOOK: Duration = Duration::from_millis(50);

/// The background work of a site: one thread of its own, so that no load on the workers delays
/// the news of a revocation.
pub(crate) struct Jobs {
    stop: Arc<AtomicBool>,
    thread: Mutex<Option<JoinHandle<()>>>,
    handle: Thread,
    mail: MailThread,
    _doorkeeper: Doorkeeper,
}

impl Jobs {
    pub(crate) fn begin(site: &web::Data<Site>) -> std::io::Result<Self> {
        let mail = MailThread::begin(site)?;
        let doorkeeper = Doorkeeper::begin(site)?;
        let stop = Arc::new(AtomicBool::new(false));
        let (site, stopped) = (site.clone(), Arc::clone(&stop));
        let thread = spawn("vestibule-jobs", move || run(&site, &stopped))?;
        let handle = thread.thread().clone();
        Ok(Self { stop, thread: Mutex::new(Some(thread)), handle, mail, _doorkeeper: doorkeeper })
    }

    /// Ends the work; what is due is written down first.
    pub(crate) async fn stop(&self, site: &Site) {
        self.farewell(site).await;
        self.mail.stop(site.settings.server.shutdown_timeout).await;
        self.stop.store(true, Ordering::Release);
        self.handle.unpark();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            let joined = tokio::task::spawn_blocking(move || thread.join()).await;
            if !matches!(joined, Ok(Ok(()))) {
                tracing::error!("the background work ended in a panic");
            }
        }
        report("write down last uses", site.services.housekeeping.write_seen().await);
        site.failures.tell(&job(site, "error reports")).await;
    }
}

impl Jobs {
    /// Tells administrators who want to know that this process ends, while mail still goes out.
    /// What is not gone soon goes out when the next one begins.
    async fn farewell(&self, site: &Site) {
        let Some(mails) = tell(site, SiteNews::Stopped).await else { return };
        let patience = site.settings.server.shutdown_timeout.min(FAREWELL);
        let gone = async {
            while matches!(site.services.starts.still_waits(&mails).await, Ok(true)) {
                tokio::time::sleep(FAREWELL_LOOK).await;
            }
        };
        let _ = tokio::time::timeout(patience, gone).await;
    }
}

impl Drop for Jobs {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Release);
        self.handle.unpark();
    }
}

/// The mails that tell administrators of it, where there are any.
async fn tell(site: &Site, news: SiteNews) -> Option<BTreeSet<NoticeId>> {
    let told = site.services.starts.tell(&job(site, "server"), news).await;
    if let Err(error) = &told {
        tracing::warn!(%error, cause = ?error.source, %news, "site.admins cannot be told");
    }
    told.ok().filter(|mails| !mails.is_empty())
}

fn run(site: &Site, stop: &AtomicBool) {
    futures_executor::block_on(tell(site, SiteNews::Started));
    let mut round: u32 = 0;
    while !stop.load(Ordering::Acquire) {
        let work = std::panic::AssertUnwindSafe(one_round(site, round)).catch_unwind();
        if futures_executor::block_on(work).is_err() {
            tracing::error!("a round of background work ended in a panic");
        }
        round = round.wrapping_add(1);
        std::thread::park_timeout(SYNC_EVERY);
    }
}

async fn one_round(site: &Site, round: u32) {
    let services = &site.services;
    report("ask for changes", services.principals.sync(&*site.clock).await);
    let remembered = u32::try_from(services.principals.remembered()).unwrap_or(u32::MAX);
    metrics::gauge!("vestibule_sessions_remembered").set(remembered);
    if round % SEEN_EVERY == SEEN_EVERY - 1 {
        report("write down last uses", services.housekeeping.write_seen().await);
    }
    site.failures.tell(&job(site, "error reports")).await;
    // At the start too, for what expired while nobody was running.
    if round.is_multiple_of(CLEAR_EVERY) {
        report("clear away", services.housekeeping.run(&job(site, "clear away")).await);
        site.rates.tidy();
        services.programs.tidy(site.clock.now());
        report("count mails", site.mail.count().await);
    }
}

fn job(site: &Site, name: &'static str) -> OpCx {
    OpCx::for_job(name, Arc::clone(&site.clock), Arc::clone(&site.entropy))
}

fn report<T>(what: &str, result: Result<T, StoreError>) {
    if let Err(error) = result {
        metrics::counter!("vestibule_job_failures_total").increment(1);
        tracing::warn!(%error, cause = ?error.source, "could not {what}");
    }
}
