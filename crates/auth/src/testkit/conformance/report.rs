//! What all cases found, and which were not tried.

use std::fmt;

/// What one case found.
#[derive(Clone, Debug)]
pub struct Finding {
    /// Which case.
    pub case: String,
    /// What is wrong, in a sentence; nothing when all is well.
    pub wrong: Option<String>,
}

/// Cases that were not tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LeftOut {
    /// Which.
    pub cases: String,
    /// Why they make no sense with this backend, or with this fixture.
    pub why: &'static str,
}

/// What all cases found.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Case by case.
    pub findings: Vec<Finding>,
    /// What was not tried, and why.
    pub left_out: Vec<LeftOut>,
}

impl Report {
    /// The cases that found something wrong.
    pub fn failures(&self) -> Vec<&Finding> {
        self.findings.iter().filter(|finding| finding.wrong.is_some()).collect()
    }

    /// Fails a test with all that is wrong, case by case.
    ///
    /// # Panics
    /// When anything is wrong.
    pub fn expect_all_well(&self) {
        assert!(self.failures().is_empty(), "{self}");
    }

    /// Fails a test that leaves out anything but these cases, so that none goes missing unseen.
    ///
    /// # Panics
    /// When more was left out, or less.
    pub fn expect_left_out(&self, cases: &[&str]) {
        let left_out: Vec<&str> = self.left_out.iter().map(|some| some.cases.as_str()).collect();
        assert_eq!(left_out, cases, "{self}");
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let failures = self.failures();
        writeln!(f, "{} cases, {} failed", self.findings.len(), failures.len())?;
        for Finding { case, wrong } in failures {
            writeln!(f, "  {case}: {}", wrong.as_deref().unwrap_or_default())?;
        }
        for LeftOut { cases, why } in &self.left_out {
            writeln!(f, "  left out: {cases}: {why}")?;
        }
        Ok(())
    }
}
