//! Writes a notice, makes a letter of it and hands it over: everything about one mail but when.

use std::{path::PathBuf, sync::Arc, time::Duration};

use vestibule_core::{
    Timestamp,
    domain::{notice::Notice, ticket::Purpose},
    usecase::delivery::Parcel,
};

use crate::{
    classify::{Failure, Verdict},
    message::{Correspondent, Letter, Logo, Particulars, compose},
    render::{Renderer, SiteFacts, TemplateProblem, Written},
    transport::Transport,
};

/// How long one mail may take from the first word to the last.
pub const WHOLE: Duration = Duration::from_mins(1);

/// How a site's mails look.
#[derive(Clone, Debug)]
pub struct Style {
    /// What they say of the site.
    pub site: SiteFacts,
    /// Where the operator's templates are; the first folder wins.
    pub folders: Vec<PathBuf>,
    /// Whom mails for people come from.
    pub to_people: Correspondent,
    /// Whom mails about the site come from.
    pub to_admins: Correspondent,
    /// The picture that goes along.
    pub logo: Option<Logo>,
}

/// Writes notices and hands them over.
#[derive(Clone)]
pub struct Office(Arc<Inner>);

struct Inner {
    renderer: Renderer,
    style: Style,
    transport: Box<dyn Transport>,
}

/// Why there is no letter.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// The words are missing.
    #[error("the mail cannot be written: {0}")]
    Template(#[from] TemplateProblem),
    /// The words make no message.
    #[error(transparent)]
    Message(#[from] crate::message::MessageError),
}

impl Office {
    /// With a way out of the house.
    pub fn new(style: Style, transport: Box<dyn Transport>) -> Self {
        let mut site = style.site.clone();
        site.has_logo = style.logo.is_some();
        let renderer = Renderer::new(site, style.folders.clone());
        Self(Arc::new(Inner { renderer, style, transport }))
    }

    /// What is wrong with the operator's templates.
    pub fn template_problems(&self) -> Vec<TemplateProblem> {
        self.0.renderer.problems()
    }

    /// The way out of the house.
    pub fn transport(&self) -> &dyn Transport {
        &*self.0.transport
    }

    /// The letter that a parcel becomes.
    pub fn letter(&self, parcel: &Parcel, now: Timestamp) -> Result<Letter, WriteError> {
        let inner = &self.0;
        let link = match (parcel.notice.link(), &parcel.token) {
            (Some(purpose), Some(token)) => {
                let token = token.expose_str().unwrap_or_default();
                Some(format!("{}{}/{token}", inner.style.site.url.get(), page_of(purpose)))
            }
            _ => None,
        };
        let written = inner.renderer.write(
            &parcel.notice,
            &parcel.language,
            link.as_deref(),
            parcel.expires_at,
        )?;
        let particulars = Particulars {
            name: parcel.id.to_string(),
            to: &parcel.recipient,
            message_id: &parcel.message_id,
            date: now,
            logo: inner.style.logo.as_ref(),
        };
        Ok(compose(self.correspondent(&parcel.notice), written, particulars)?)
    }

    /// What a notice without a link of its own says in the site's language, for a look.
    pub fn preview(&self, notice: &Notice, language: &str) -> Result<Written, WriteError> {
        Ok(self.0.renderer.write(notice, language, None, None)?)
    }

    fn correspondent(&self, notice: &Notice) -> &Correspondent {
        let style = &self.0.style;
        if notice.is_about_the_site() { &style.to_admins } else { &style.to_people }
    }

    /// Hands a letter over, within a minute.
    pub async fn hand_over(&self, letter: &Letter) -> Result<String, Failure> {
        let handed_over = tokio::time::timeout(WHOLE, self.0.transport.deliver(letter)).await;
        handed_over.unwrap_or_else(|_| {
            let reason = format!("took longer than {} s as a whole", WHOLE.as_secs());
            Err(Failure::new(Verdict::Later, reason))
        })
    }
}

/// Which page a link leads to.
const fn page_of(purpose: Purpose) -> &'static str {
    match purpose {
        Purpose::FirstSuperuser => "/setup",
        Purpose::Activate => "/activate",
        Purpose::Reset => "/password/reset",
        Purpose::EmailChange => "/email/confirm",
        Purpose::Invitation => "/invitation",
    }
}
