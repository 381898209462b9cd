//! What the codes of Linux-PAM mean for a login.

use vestibule_core::ports::backend::{Fault, RejectReason, Rejection};

use super::wire::Phase;

/// The codes of `security/_pam_types.h`, by their number.
const NAMES: [&str; 32] = [
    "PAM_SUCCESS",
    "PAM_OPEN_ERR",
    "PAM_SYMBOL_ERR",
    "PAM_SERVICE_ERR",
    "PAM_SYSTEM_ERR",
    "PAM_BUF_ERR",
    "PAM_PERM_DENIED",
    "PAM_AUTH_ERR",
    "PAM_CRED_INSUFFICIENT",
    "PAM_AUTHINFO_UNAVAIL",
    "PAM_USER_UNKNOWN",
    "PAM_MAXTRIES",
    "PAM_NEW_AUTHTOK_REQD",
    "PAM_ACCT_EXPIRED",
    "PAM_SESSION_ERR",
    "PAM_CRED_UNAVAIL",
    "PAM_CRED_EXPIRED",
    "PAM_CRED_ERR",
    "PAM_NO_MODULE_DATA",
    "PAM_CONV_ERR",
    "PAM_AUTHTOK_ERR",
    "PAM_AUTHTOK_RECOVERY_ERR",
    "PAM_AUTHTOK_LOCK_BUSY",
    "PAM_AUTHTOK_DISABLE_AGING",
    "PAM_TRY_AGAIN",
    "PAM_IGNORE",
    "PAM_ABORT",
    "PAM_AUTHTOK_EXPIRED",
    "PAM_MODULE_UNKNOWN",
    "PAM_BAD_ITEM",
    "PAM_CONV_AGAIN",
    "PAM_INCOMPLETE",
];

/// The code and the phase that it comes from, in words for the operator.
fn describe(phase: Phase, code: i32) -> String {
    let phase = match phase {
        Phase::Authenticate => "authentication",
        Phase::Account => "the account check",
    };
    match usize::try_from(code).ok().and_then(|code| NAMES.get(code)) {
        Some(name) => format!("{name} from {phase}"),
        None => format!("code {code} from {phase}"),
    }
}

/// The refusal that a code comes to, with both for the audit log.
pub(super) fn refusal(phase: Phase, code: i32) -> Result<Rejection, Fault> {
    let reason = meaning(phase, code)?;
    let both = format!("{} ({})", reason.as_str(), describe(phase, code));
    Ok(Rejection::new(reason).because(both))
}

/// What it means that a phase ended with a code other than success. A code that says nothing about
/// the visitor is a fault: it must not count as a guess.
fn meaning(phase: Phase, code: i32) -> Result<RejectReason, Fault> {
    let what = || describe(phase, code);
    let name = usize::try_from(code).ok().and_then(|code| NAMES.get(code)).copied();
    match (name.unwrap_or_default(), phase) {
        ("PAM_AUTH_ERR" | "PAM_USER_UNKNOWN" | "PAM_CRED_ERR", Phase::Authenticate) => {
            Ok(RejectReason::BadOrUnknown)
        }
        ("PAM_AUTH_ERR" | "PAM_USER_UNKNOWN", Phase::Account) | ("PAM_PERM_DENIED", _) => {
            Ok(RejectReason::NotEntitled)
        }
        ("PAM_MAXTRIES", _) => Ok(RejectReason::Locked),
        ("PAM_ACCT_EXPIRED" | "PAM_AUTHTOK_EXPIRED" | "PAM_CRED_EXPIRED", _) => {
            Ok(RejectReason::Expired)
        }
        ("PAM_NEW_AUTHTOK_REQD", _) => Ok(RejectReason::MustChange),
        ("PAM_AUTHINFO_UNAVAIL" | "PAM_CRED_UNAVAIL" | "PAM_TRY_AGAIN" | "PAM_BUF_ERR", _) => {
            Err(Fault::unavailable(what()))
        }
        ("PAM_CRED_INSUFFICIENT" | "PAM_MODULE_UNKNOWN" | "PAM_OPEN_ERR" | "PAM_SYMBOL_ERR", _) => {
            Err(Fault::Misconfigured(what()))
        }
        _ => Err(Fault::protocol(what())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_that_says_nothing_about_the_visitor_is_never_a_refusal() {
        let of = |phase, name: &str| {
            let code = NAMES.iter().position(|known| *known == name).unwrap();
            meaning(phase, i32::try_from(code).unwrap())
        };
        for name in ["PAM_AUTHINFO_UNAVAIL", "PAM_SYSTEM_ERR", "PAM_CONV_ERR", "PAM_ABORT"] {
            for phase in [Phase::Authenticate, Phase::Account] {
                assert!(of(phase, name).is_err(), "{name}");
            }
        }
        for code in [-1, 0, 32, 77, i32::MAX, i32::MIN] {
            assert!(meaning(Phase::Authenticate, code).is_err(), "{code}");
        }
        assert_eq!(of(Phase::Authenticate, "PAM_AUTH_ERR"), Ok(RejectReason::BadOrUnknown));
        assert_eq!(of(Phase::Account, "PAM_AUTH_ERR"), Ok(RejectReason::NotEntitled));
        assert_eq!(of(Phase::Account, "PAM_ACCT_EXPIRED"), Ok(RejectReason::Expired));
        assert_eq!(of(Phase::Account, "PAM_NEW_AUTHTOK_REQD"), Ok(RejectReason::MustChange));
        assert_eq!(describe(Phase::Account, 13), "PAM_ACCT_EXPIRED from the account check");
    }
}
