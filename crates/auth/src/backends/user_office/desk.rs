//! What a user office is asked on behalf of people who are in already: whether they may use the
//! facility, and their experiments.

use vestibule_core::ports::backend::{Fault, Section, SectionError};

use super::{
    experiments::{self, Experiment},
    refuses_us,
    settings::Office,
    unexpected,
};
use crate::runner::{Guard, Limits};

/// A user office as it is asked for people who have logged in. However often they ask, the office
/// stays open for logins: what is counted as failing here is not counted there.
pub struct Desk {
    office: Office,
    guard: Guard,
}

/// Which experiments are wanted.
#[derive(Clone, Copy, Debug)]
pub struct Asking<'a> {
    /// Which page, counted from 1.
    pub page: u32,
    /// How many to a page.
    pub page_size: u32,
    /// A text that they have somewhere; empty for any.
    pub search: &'a str,
    /// By what they are ordered, with `-` in front from last to first; empty as the office likes.
    pub ordering: &'a str,
}

/// What the office lists.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Listed {
    /// These, of so many on all pages together.
    Page {
        /// How many there are.
        count: u64,
        /// The ones on this page.
        results: Vec<Experiment>,
    },
    /// Nobody of this name, or no such page: it says the same of both.
    Nothing,
}

impl Desk {
    /// With what an operator tells of the office.
    pub fn new(section: Section) -> Result<Self, SectionError> {
        let office = Office::read(section)?;
        Ok(Self { office, guard: Guard::new("user_office", Limits::default()) })
    }

    /// Whether it lists experiments.
    pub fn lists_experiments(&self) -> bool {
        self.office.experiments.is_some()
    }

    /// Whether nobody is asked who may use the facility, because everybody may.
    pub fn lets_everybody_in(&self) -> bool {
        self.office.default_authorization
    }

    /// Whether the person of this login name there may use the facility.
    pub async fn is_authorized(&self, login: &str) -> Result<bool, Fault> {
        if self.office.default_authorization {
            return Ok(true);
        }
        let asked = self.guard.ask(self.office.may_enter(login), |answer| answer.as_ref().err());
        asked.await?
    }

    /// A page of the experiments of the person of this login name there, and of nobody else.
    pub async fn experiments(&self, login: &str, asking: &Asking<'_>) -> Result<Listed, Fault> {
        let fetched = self.fetched(login, asking);
        self.guard.ask(fetched, |answer| answer.as_ref().err()).await?
    }

    async fn fetched(&self, login: &str, asking: &Asking<'_>) -> Result<Listed, Fault> {
        let Some((place, basic)) = &self.office.experiments else {
            return Err(Fault::Misconfigured("experiments_url is not set".to_owned()));
        };
        let Some(address) = place.of(login) else { return Ok(Listed::Nothing) };
        let (page, size) = (asking.page.to_string(), asking.page_size.to_string());
        let pairs = [
            ("page", page.as_str()),
            ("page_size", &size),
            ("search", asking.search),
            ("ordering", asking.ordering),
        ];
        let address = address.with_query(pairs.into_iter().filter(|(_, value)| !value.is_empty()));
        let answer = self.office.client.get_with_basic(&address, basic).await?;
        match answer.status {
            200 | 404 if answer.is_page() => Err(Fault::protocol("the service answered a page")),
            200 => {
                let told = experiments::read(&answer.json()?, asking.page_size)?;
                Ok(Listed::Page { count: told.count, results: told.results })
            }
            404 => Ok(Listed::Nothing),
            401 | 403 => Err(refuses_us()),
            status => Err(unexpected(status)),
        }
    }
}
