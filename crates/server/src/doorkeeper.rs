//! What is asked of backends without a visitor: whether they answer at all, and whether the people
//! whom they let in are still theirs.

use std::{sync::Arc, time::Duration};

use actix_web::web;
use tokio::sync::oneshot;
use vestibule_core::{OpCx, domain::identity::BackendName, usecase::login::Door};

use crate::{embed::spawn, site::Site};

/// How often it is looked who is due.
const ROUND: Duration = Duration::from_secs(5);
/// How many rounds a backend that did not answer at the start is left alone for.
const LOOK_EVERY: u32 = 6;

/// The thread that asks. It ends when this goes.
pub(crate) struct Doorkeeper {
    _stop: Option<oneshot::Sender<()>>,
}

impl Doorkeeper {
    /// Begins to ask, where there is anybody to ask.
    pub(crate) fn begin(site: &web::Data<Site>) -> std::io::Result<Self> {
        let doors = site.services.login.doors();
        if !doors.iter().any(|door| door.refresh.is_some() || door.backend.probe().is_some()) {
            return Ok(Self { _stop: None });
        }
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
        let (stop, mut stopped) = oneshot::channel::<()>();
        let site = site.clone();
        spawn("vestibule-doors", move || {
            runtime.block_on(async {
                let doors = site.services.login.doors();
                let mut silent: Vec<BackendName> =
                    doors.iter().map(|door| door.name().clone()).collect();
                let mut round: u32 = 0;
                loop {
                    if round.is_multiple_of(LOOK_EVERY) {
                        silent = look(doors, &silent, round == 0).await;
                    }
                    refresh(&site).await;
                    round = round.wrapping_add(1);
                    tokio::select! {
                        _ = &mut stopped => break,
                        () = tokio::time::sleep(ROUND) => {}
                    }
                }
            });
        })?;
        Ok(Self { _stop: Some(stop) })
    }
}

/// Looks at those that have not answered yet; answers who still does not.
async fn look(doors: &[Door], silent: &[BackendName], is_first: bool) -> Vec<BackendName> {
    let mut still = Vec::new();
    for door in doors.iter().filter(|door| silent.contains(door.name())) {
        let Some(probe) = door.backend.probe() else { continue };
        let backend = door.name();
        match probe.look().await {
            Ok(_) if is_first => {}
            Ok(_) => tracing::info!(target: "vestibule::backend", %backend, "answers now"),
            Err(fault) => {
                if is_first {
                    tracing::warn!(
                        target: "vestibule::backend",
                        %backend,
                        %fault,
                        "does not answer at the start; it will be looked at again"
                    );
                }
                still.push(backend.clone());
            }
        }
    }
    still
}

async fn refresh(site: &Site) {
    let cx = OpCx::for_job("refresh", Arc::clone(&site.clock), Arc::clone(&site.entropy));
    match site.services.login.refresh(&cx).await {
        Ok(done) if done.withdrawn > 0 || done.stale > 0 => tracing::info!(
            target: "vestibule::backend",
            confirmed = done.confirmed,
            withdrawn = done.withdrawn,
            stale = done.stale,
            "people were asked about"
        ),
        Ok(_) => {}
        Err(error) => {
            metrics::counter!("vestibule_job_failures_total").increment(1);
            tracing::warn!(%error, cause = ?error.source, "could not ask about people");
        }
    }
}
