//! The measured senders, each in a process of its own.

use std::{
    sync::{Arc, atomic::AtomicBool},
    time::{Duration, Instant},
};

use clap::ValueEnum;
use futures_util::{TryStreamExt, stream};
use lettre::{
    Address, Message,
    address::Envelope,
    message::MultiPart,
    transport::smtp::{client::AsyncSmtpConnection, extension::ClientId},
};
use vestibule_benches::{Result, memory, world};
use vestibule_core::{
    Email, OpCx, Secret, SystemClock, SystemEntropy,
    domain::notice::{Lane, Notice},
    id::{LeaseId, NoticeId},
    ports::store::StoreError,
    usecase::{
        delivery::{Delivery, Parcel},
        post::{Post, PostRules, Postbox},
    },
};
use vestibule_mail::{
    Office, SiteFacts, Worker, WorkerOptions,
    message::Correspondent,
    office::Style,
    render::Address as Place,
    transport::smtp::{Security, SmtpSettings, SmtpTransport},
};

/// How many mails each sends before it looks at the clock, at most.
pub(crate) const FIRST: usize = 4;

/// Who sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Sender {
    One,
    Four,
    OutboxOne,
    OutboxFour,
    Lettre,
}

/// Who sends how many to whom.
#[derive(clap::Args)]
pub(crate) struct Arguments {
    sender: Sender,
    port: u16,
    mails: usize,
}

impl Sender {
    pub(crate) const ALL: [Self; 5] =
        [Self::One, Self::Four, Self::OutboxOne, Self::OutboxFour, Self::Lettre];

    pub(crate) const fn word(self) -> &'static str {
        match self {
            Self::One => "one",
            Self::Four => "four",
            Self::OutboxOne => "outbox-one",
            Self::OutboxFour => "outbox-four",
            Self::Lettre => "lettre",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::One => "ours, one connection",
            Self::Four => "ours, four connections",
            Self::OutboxOne => "ours from the outbox, each recorded on the disk, one connection",
            Self::OutboxFour => "ours from the outbox, each recorded on the disk, four connections",
            Self::Lettre => "lettre as it comes, one connection",
        }
    }

    /// How many it sends where the others send so many: it would take forty times as long.
    pub(crate) const fn share_of(self, mails: usize) -> usize {
        if matches!(self, Self::Lettre) { mails.div_ceil(40) } else { mails }
    }
}

pub(crate) fn run(arguments: &Arguments) -> Result<()> {
    let Arguments { sender, port, mails } = *arguments;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let took = runtime.block_on(async {
        match sender {
            Sender::One => letters(port, mails, 1).await,
            Sender::Four => letters(port, mails, FIRST).await,
            Sender::OutboxOne => outbox(port, mails, 1).await,
            Sender::OutboxFour => outbox(port, mails, FIRST).await,
            Sender::Lettre => lettre_alone(port, mails).await,
        }
    })?;
    println!("{}", took.as_secs_f64());
    Ok(())
}

fn office(port: u16) -> Result<Office> {
    let transport = SmtpTransport::new(SmtpSettings {
        host: "127.0.0.1".to_owned(),
        port,
        security: Security::None,
        login: None,
        certificates: None,
        identity: None,
        step: Duration::from_secs(10),
    })?;
    let correspondent = || -> Result<_> {
        Ok(Correspondent { from: "Hall <hall@example.org>".parse()?, reply_to: None })
    };
    let style = Style {
        site: SiteFacts {
            name: "Hall".to_owned(),
            url: Place::fixed("https://hall.example.org"),
            subject_prefix: "[Hall] ".to_owned(),
            has_logo: false,
        },
        folders: Vec::new(),
        to_people: correspondent()?,
        to_admins: correspondent()?,
        logo: None,
    };
    Ok(Office::new(style, Box::new(transport)))
}

fn address(number: usize) -> String {
    format!("user{number}@example.org")
}

fn parcel(number: usize, cx: &OpCx) -> Parcel {
    let id = NoticeId::generate(cx.now(), cx.entropy());
    Parcel {
        id,
        lease: LeaseId::generate(cx.now(), cx.entropy()),
        until: cx.now().plus(Duration::from_mins(3)),
        recipient: Email::from_stored(address(number)),
        message_id: format!("{id}@hall.example.org"),
        language: "en".to_owned(),
        posted_at: cx.now(),
        attempts: 1,
        notice: Notice::Reset { username: world::username(number) },
        token: Some(Secret::new("uJ8mJvHfXnqS2wZ0Yw7yC4kD1tR5bN9aE6gL3iP8oQs")),
        expires_at: Some(cx.now().plus(Duration::from_hours(1))),
    }
}

/// Written and handed over, over so many connections: as much as Django does.
async fn letters(port: u16, mails: usize, lines: usize) -> Result<Duration> {
    let (office, cx) = (office(port)?, world::cx());
    let hand_over = async |parcels: Vec<Parcel>| {
        stream::iter(parcels.into_iter().map(Ok))
            .try_for_each_concurrent(lines, |parcel| {
                let office = &office;
                async move {
                    let letter = office.letter(&parcel, parcel.posted_at)?;
                    office.hand_over(&letter).await?;
                    Ok::<_, Box<dyn std::error::Error + Send + Sync>>(())
                }
            })
            .await
    };
    // Opens the lines.
    hand_over((0..lines).map(|number| parcel(number, &cx)).collect()).await?;
    let parcels: Vec<Parcel> = (0..mails).map(|number| parcel(number, &cx)).collect();
    let begin = Instant::now();
    hand_over(parcels).await?;
    Ok(begin.elapsed())
}

/// Out of an outbox on `SQLite`, in which each is taken on and written down as sent.
async fn outbox(port: u16, mails: usize, lines: usize) -> Result<Duration> {
    let (folder, cx) = (tempfile::tempdir()?, world::cx());
    let store = memory::empty_store(folder.path())?;
    let postbox = Postbox::new(PostRules {
        domain: "hall.example.org".into(),
        language: "en".into(),
        ..PostRules::default()
    });
    let delivery = Delivery::new(store.clone(), postbox.clone());
    let options = WorkerOptions { lines, ..WorkerOptions::default() };
    let (clock, entropy) = (Arc::new(SystemClock), Arc::new(SystemEntropy));
    let worker = Worker::new(delivery, office(port)?, clock, entropy, options);
    let post = async |from: usize, count: usize| {
        let (postbox, cx) = (postbox.clone(), cx.clone());
        let posted = store.write::<_, StoreError>(move |tx| {
            for number in from..from + count {
                let notice = Notice::Reset { username: world::username(number) };
                let post = Post::to(Email::from_stored(address(number)), notice);
                postbox.post(tx, &cx, post.until(cx.now().plus(Duration::from_hours(1))))?;
            }
            Ok(())
        });
        posted.await
    };
    let drain = async || {
        let stopping = AtomicBool::new(false);
        while worker.round(Lane::Personal, &stopping).await?.taken > 0 {}
        Ok::<_, StoreError>(())
    };
    post(mails, lines).await?;
    drain().await?;
    post(0, mails).await?;
    let begin = Instant::now();
    drain().await?;
    Ok(begin.elapsed())
}

/// What lettre's own connection does, with a letter of the same words.
async fn lettre_alone(port: u16, mails: usize) -> Result<Duration> {
    let (office, cx) = (office(port)?, world::cx());
    let text = office.letter(&parcel(0, &cx), cx.now())?.text;
    let name = ClientId::default();
    let server = ("127.0.0.1", port);
    let mut connection =
        AsyncSmtpConnection::connect_tokio1(server, None, &name, None, None).await?;
    let from: Address = "hall@example.org".parse()?;
    let mut begin = Instant::now();
    for number in 0..=mails {
        if number == 1 {
            begin = Instant::now();
        }
        let to: Address = address(number).parse()?;
        let message = Message::builder()
            .from(from.clone().into())
            .to(to.clone().into())
            .subject("[Hall] Set a new password")
            .multipart(MultiPart::alternative_plain_html(text.clone(), text.clone()))?;
        let envelope = Envelope::new(Some(from.clone()), vec![to])?;
        connection.send(&envelope, &message.formatted()).await?;
    }
    Ok(begin.elapsed())
}
