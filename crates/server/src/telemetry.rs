//! Logs and counters.

use std::io;

use metrics_exporter_prometheus::{PrometheusBuilder, PrometheusHandle};
use tracing_subscriber::{EnvFilter, fmt, prelude::*};

use crate::config::{LogFormat, LogSettings};

/// Why logging or counting could not begin.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The filter does not hold.
    #[error("log.filter: {0}")]
    Filter(String),
    /// It has begun already.
    #[error("logging or counting has begun already")]
    Twice,
}

/// Writes log lines to the standard error from now on. Text a client sent is escaped, so that one
/// event is one line.
pub fn begin_logging(settings: &LogSettings) -> Result<(), TelemetryError> {
    let filter = EnvFilter::try_new(&settings.filter)
        .map_err(|error| TelemetryError::Filter(error.to_string()))?;
    let registry = tracing_subscriber::registry().with(filter);
    let begun = match settings.format {
        LogFormat::Json => {
            let layer = fmt::layer().json().flatten_event(true).with_writer(io::stderr);
            registry.with(layer).try_init()
        }
        LogFormat::Text => {
            let layer = fmt::layer().with_ansi(false).with_writer(io::stderr);
            registry.with(layer).try_init()
        }
    };
    begun.map_err(|_| TelemetryError::Twice)
}

/// Everything that was counted since the start.
#[derive(Clone)]
pub struct Metrics(PrometheusHandle);

impl Metrics {
    /// Counts from now on.
    pub fn begin() -> Result<Self, TelemetryError> {
        let handle =
            PrometheusBuilder::new().install_recorder().map_err(|_| TelemetryError::Twice)?;
        Ok(Self(handle))
    }

    /// The counts in the Prometheus text format.
    pub fn render(&self) -> String {
        self.0.run_upkeep();
        self.0.render()
    }
}
