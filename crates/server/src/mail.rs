//! How mail leaves the house: settings made into an office, and the thread that empties the
//! outbox, so that no request ever waits for a mail server.

use std::{
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use actix_web::web;
use futures_util::future::{self, FutureExt};
use tokio::sync::oneshot;
use vestibule_core::{
    Clock, Entropy, OpCx,
    ports::store::{Store, StoreError},
    usecase::{announcements::Announcements, delivery::Delivery, post::Postbox},
};
use vestibule_mail::{
    Office, SiteFacts, Worker, WorkerOptions,
    address::AddressError,
    message::Correspondent,
    office::Style,
    render::Address,
    transport::{
        Transport,
        console::ConsoleTransport,
        file::{FileTransport, FolderError},
        smtp::{SmtpError, SmtpSettings, SmtpTransport},
    },
};

use crate::{
    config::{MailSettings, MailTransport, Settings},
    embed::spawn,
    site::Site,
};

/// How often it is asked whether anything was announced, and how seldom while the database is away.
const LOOK_EVERY: Duration = Duration::from_millis(500);
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// Why mail cannot be sent as the settings say.
#[derive(Debug, thiserror::Error)]
pub enum MailroomError {
    /// The mail server cannot be spoken to.
    #[error(transparent)]
    Smtp(#[from] SmtpError),
    /// Mails cannot be written there.
    #[error(transparent)]
    Folder(#[from] FolderError),
    /// Nobody can be written from there.
    #[error("mail.from: {0}")]
    From(#[source] AddressError),
}

/// Everything that sends mail, but for the thread that does it.
pub(crate) struct Mailroom {
    pub(crate) office: Office,
    delivery: Delivery,
    postbox: Postbox,
    store: Store,
    options: WorkerOptions,
}

impl Mailroom {
    pub(crate) fn new(
        settings: &Settings,
        transport: Option<Box<dyn Transport>>,
        mounted: &Arc<OnceLock<String>>,
        store: &Store,
        postbox: &Postbox,
    ) -> Result<Self, MailroomError> {
        let transport = match transport {
            Some(transport) => transport,
            None => self::transport(&settings.mail)?,
        };
        let office = Office::new(style(settings, mounted), transport);
        for problem in office.template_problems() {
            tracing::error!(
                file = problem.file,
                line = problem.line,
                reason = problem.reason,
                "a mail template cannot be used; the built-in one is"
            );
        }
        let options = WorkerOptions {
            lines: settings.mail.connections,
            pace: settings.mail.pace,
            bulk_pace: settings.mail.announcement_pace,
            ..WorkerOptions::default()
        };
        let delivery = Delivery::new(store.clone(), postbox.clone());
        let (store, postbox) = (store.clone(), postbox.clone());
        Ok(Self { office, delivery, postbox, store, options })
    }

    /// Somebody who sends.
    pub(crate) fn worker(&self, clock: &Arc<dyn Clock>, entropy: &Arc<dyn Entropy>) -> Worker {
        let (delivery, office) = (self.delivery.clone(), self.office.clone());
        Worker::new(delivery, office, Arc::clone(clock), Arc::clone(entropy), self.options)
    }

    /// Counts what is in the outbox.
    pub(crate) async fn count(&self) -> Result<(), StoreError> {
        let counts = self.delivery.counts().await?;
        for (state, count) in [("waiting", counts.waiting), ("dead", counts.dead)] {
            let count = u32::try_from(count).unwrap_or(u32::MAX);
            metrics::gauge!("vestibule_outbox", "state" => state).set(count);
        }
        let over_budget = self.postbox.over_budget();
        metrics::counter!("vestibule_mails_over_budget_total").absolute(over_budget);
        Ok(())
    }
}

/// An office for a look, of a site that runs nowhere.
pub(crate) fn office(settings: &Settings) -> Result<Office, MailroomError> {
    let style = style(settings, &Arc::new(OnceLock::new()));
    Ok(Office::new(style, transport(&settings.mail)?))
}

/// The way out of the house that the settings name.
fn transport(mail: &MailSettings) -> Result<Box<dyn Transport>, MailroomError> {
    Ok(match mail.transport {
        MailTransport::Console => Box::new(ConsoleTransport::default()),
        MailTransport::File => {
            Box::new(FileTransport::new(mail.file_path.clone().unwrap_or_default())?)
        }
        MailTransport::Smtp => Box::new(SmtpTransport::new(SmtpSettings {
            host: mail.host.clone(),
            port: mail.port,
            security: mail.tls,
            login: mail.user.clone().zip(mail.password.clone()),
            certificates: mail.certificates.clone(),
            identity: mail.client_cert.clone().zip(mail.client_key.clone()),
            step: mail.timeout,
        })?),
    })
}

fn style(settings: &Settings, mounted: &Arc<OnceLock<String>>) -> Style {
    let mail = &settings.mail;
    let origin = settings.site.base_url.origin().to_owned();
    let (mounted, prefix) = (Arc::clone(mounted), settings.server.prefix.clone());
    let url = Address::of(move || format!("{origin}{}", mounted.get().unwrap_or(&prefix)));
    Style {
        site: SiteFacts {
            name: settings.site.name.clone(),
            url,
            subject_prefix: mail.subject_prefix.clone(),
            has_logo: mail.logo.is_some(),
        },
        folders: settings.site.template_dirs.clone(),
        to_people: Correspondent { from: mail.from.clone(), reply_to: mail.reply_to.clone() },
        to_admins: Correspondent { from: mail.admin_from.clone(), reply_to: None },
        logo: mail.logo.clone(),
    }
}

/// Posts what was announced, little by little, for as long as it is asked to. Stopped between any
/// two words it leaves nothing half done: the next process goes on.
async fn spread(announcements: Announcements, cx: impl Fn() -> OpCx) {
    let mut pause = LOOK_EVERY;
    loop {
        match announcements.spread(&cx()).await {
            Ok(true) => {
                pause = LOOK_EVERY;
                continue;
            }
            Ok(false) => pause = LOOK_EVERY,
            Err(error) => {
                tracing::warn!(%error, cause = ?error.source, "announcements cannot be posted");
                pause = (pause * 2).min(LOOK_AGAIN);
            }
        }
        tokio::time::sleep(pause).await;
    }
}

/// The thread that empties the outbox.
pub(crate) struct MailThread {
    stop: Mutex<Option<oneshot::Sender<()>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl MailThread {
    pub(crate) fn begin(site: &web::Data<Site>) -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let worker = site.mail.worker(&site.clock, &site.entropy);
        site.mail.store.observe(Arc::new(worker.bell()));
        let announcements = site.services.announcements.clone();
        let (clock, entropy) = (Arc::clone(&site.clock), Arc::clone(&site.entropy));
        let cx = move || OpCx::for_job("announcements", Arc::clone(&clock), Arc::clone(&entropy));
        let (stop, stopped) = oneshot::channel::<()>();
        let (end, ended) = oneshot::channel::<()>();
        // It ends by itself when whoever could stop it is gone.
        spawn("vestibule-mail", move || {
            let stopped = stopped.map(drop).shared();
            let spreading = future::select(Box::pin(spread(announcements, cx)), stopped.clone());
            runtime.block_on(future::join(worker.run(stopped), spreading));
            let _ = end.send(());
        })?;
        Ok(Self { stop: Mutex::new(Some(stop)), ended: Mutex::new(Some(ended)) })
    }

    /// Ends the work. What is on its way may still take so long.
    pub(crate) async fn stop(&self, patience: Duration) {
        drop(self.stop.lock().unwrap_or_else(PoisonError::into_inner).take());
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner).take();
        let Some(ended) = ended else { return };
        match tokio::time::timeout(patience, ended).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!("the sending of mail ended in a panic"),
            Err(_) => tracing::warn!("a mail is still on its way; it may go out once more"),
        }
    }
}
