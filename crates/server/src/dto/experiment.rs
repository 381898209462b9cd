//! What a user office says, as it goes over the wire.

use serde::Serialize;
use utoipa::ToSchema;
use vestibule_auth::backends::user_office;
use vestibule_core::Timestamp;

/// Whether the caller may use the facility.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Authorization)]
pub(crate) struct AuthorizationOut {
    /// What the office says; `false` as well where it could not be asked.
    pub(crate) result: bool,
}

/// What the caller was given beam time for.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = Experiment)]
pub(crate) struct ExperimentOut {
    /// By what the office knows it.
    proposal_id: String,
    /// What it is about, in a line; empty where the office does not say.
    subject: String,
    /// The same at length.
    body: String,
    /// Where it takes place.
    beam_line: String,
    /// To which Unix user its data belong.
    uid: Option<u32>,
    /// To which Unix group its data belong.
    gid: Option<u32>,
    /// When it takes place.
    sessions: Vec<ExperimentSessionOut>,
}

/// One visit for an experiment.
#[derive(Debug, Serialize, ToSchema)]
#[schema(as = ExperimentSession)]
pub(crate) struct ExperimentSessionOut {
    /// By what the office knows it.
    session_number: String,
    start_date: Option<String>,
    end_date: Option<String>,
    subject: String,
    body: String,
    /// Where its data are, as the office writes it.
    data_set_path: String,
}

impl From<user_office::Experiment> for ExperimentOut {
    fn from(told: user_office::Experiment) -> Self {
        Self {
            proposal_id: told.proposal_id,
            subject: told.subject,
            body: told.body,
            beam_line: told.beam_line,
            uid: told.uid,
            gid: told.gid,
            sessions: told.sessions.into_iter().map(ExperimentSessionOut::from).collect(),
        }
    }
}

impl From<user_office::Session> for ExperimentSessionOut {
    fn from(told: user_office::Session) -> Self {
        let date = |date: Option<Timestamp>| date.map(|date| date.to_string());
        Self {
            session_number: told.session_number,
            start_date: date(told.start_date),
            end_date: date(told.end_date),
            subject: told.subject,
            body: told.body,
            data_set_path: told.data_set_path,
        }
    }
}
