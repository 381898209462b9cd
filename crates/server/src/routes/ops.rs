//! For those who watch over the server: is it alive, is it ready, what has it done.

use actix_web::{HttpResponse, web};
use serde_json::json;
use vestibule_core::ports::store::StoreError;

use super::look;
use crate::{problem::Problem, site::Site, telemetry::Metrics};

/// Registers health and readiness.
pub(crate) fn register(cfg: &mut web::ServiceConfig) {
    cfg.route("/healthz", look().to(healthz)).route("/readyz", look().to(readyz));
}

/// The process answers.
async fn healthz() -> HttpResponse {
    HttpResponse::Ok().content_type("text/plain").body("ok\n")
}

/// The database answers too.
async fn readyz(site: web::Data<Site>) -> HttpResponse {
    let asked = site.services.store.read::<_, StoreError>(|tx| tx.last_change()).await;
    match asked {
        Ok(_) => HttpResponse::Ok().json(json!({ "ready": true })),
        Err(error) => {
            tracing::warn!(%error, "not ready");
            HttpResponse::ServiceUnavailable()
                .json(json!({ "ready": false, "reason": error.to_string() }))
        }
    }
}

/// Everything that was counted, in the Prometheus text format.
pub(crate) async fn metrics(metrics: Option<web::Data<Metrics>>) -> Result<HttpResponse, Problem> {
    let metrics = metrics.ok_or_else(|| Problem::not_found("page"))?;
    Ok(HttpResponse::Ok().content_type("text/plain; version=0.0.4").body(metrics.render()))
}
