//! What the directory's result codes come to (RFC 4511 appendix A, and what servers say besides).

use vestibule_core::ports::backend::{Fault, RejectReason, Rejection};

/// The answer to a bind.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Bound {
    pub(super) code: u32,
    /// What the server says to it; only Active Directory's code is looked for in it.
    pub(super) text: String,
    /// The password policy's error, if it sent one.
    pub(super) policy: Option<u8>,
}

/// Its name, for the log.
pub(super) fn name(code: u32) -> String {
    let name = match code {
        1 => "operationsError",
        2 => "protocolError",
        3 => "timeLimitExceeded",
        4 => "sizeLimitExceeded",
        7 => "authMethodNotSupported",
        8 => "strongerAuthRequired",
        10 => "referral",
        11 => "adminLimitExceeded",
        13 => "confidentialityRequired",
        19 => "constraintViolation",
        32 => "noSuchObject",
        34 => "invalidDNSyntax",
        48 => "inappropriateAuthentication",
        49 => "invalidCredentials",
        50 => "insufficientAccessRights",
        51 => "busy",
        52 => "unavailable",
        53 => "unwillingToPerform",
        80 => "other",
        _ => return format!("result {code}"),
    };
    format!("result {code} ({name})")
}

/// Whether waiting may help.
pub(super) const fn is_passing(code: u32) -> bool {
    matches!(code, 3 | 11 | 51 | 52 | 80)
}

/// Of a code that is no answer to what was asked.
fn fault(code: u32, what: &str) -> Fault {
    let said = format!("the directory answers {what} with {}", name(code));
    match code {
        _ if is_passing(code) => Fault::unavailable(said),
        8 | 13 => Fault::Misconfigured(format!("{said}: it wants encryption")),
        10 => Fault::Misconfigured(format!("{said}: referrals are not followed")),
        _ => Fault::Protocol(said),
    }
}

/// Of the account that searches.
pub(super) fn of_own_bind(bound: &Bound) -> Result<(), Fault> {
    match bound.code {
        0 => Ok(()),
        7 | 19 | 32 | 34 | 48..=50 | 53 => Err(Fault::Misconfigured(format!(
            "the directory refuses our own account: {}",
            name(bound.code)
        ))),
        code => Err(fault(code, "our own login")),
    }
}

/// Of a search; `what` says which.
pub(super) fn of_search(code: u32, what: &str) -> Result<(), Fault> {
    match code {
        0 => Ok(()),
        1 | 4 | 32 | 34 | 50 | 53 => {
            Err(Fault::Misconfigured(format!("the directory answers {what} with {}", name(code))))
        }
        code => Err(fault(code, what)),
    }
}

/// Of a visitor: nothing when the password is right.
pub(super) fn of_visitor(bound: &Bound) -> Result<Option<Rejection>, Fault> {
    let because = |reason, detail| Ok(Some(Rejection::new(reason).because(detail)));
    let by_policy = bound.policy.and_then(by_policy);
    match (bound.code, by_policy) {
        // Also after success: whoever has to change the password may do nothing else there.
        (0 | 19 | 49 | 50 | 53, Some(reason)) => Ok(Some(Rejection::new(reason))),
        (0, None) => Ok(None),
        (49, None) => {
            let reason = active_directory_code(&bound.text).and_then(by_active_directory);
            Ok(Some(Rejection::new(reason.unwrap_or(RejectReason::Bad))))
        }
        // The entry went away since it was found.
        (32, _) => because(RejectReason::Bad, "the entry is gone"),
        (19, _) => because(RejectReason::Locked, "the directory answers constraintViolation"),
        (48, _) => because(RejectReason::Disabled, "no password in the directory"),
        (50, _) => because(RejectReason::NotEntitled, "the directory allows no login"),
        (53, _) => because(RejectReason::Disabled, "the directory is unwilling"),
        (code, _) => Err(fault(code, "a login")),
    }
}

fn by_policy(error: u8) -> Option<RejectReason> {
    match error {
        0 => Some(RejectReason::Expired),
        1 => Some(RejectReason::Locked),
        2 => Some(RejectReason::MustChange),
        _ => None,
    }
}

/// The Windows error that Active Directory writes into its text: `… comment:
/// AcceptSecurityContext error, data 533, v4563`.
fn active_directory_code(text: &str) -> Option<u32> {
    let (_, behind) = text.split_once("AcceptSecurityContext error, data ")?;
    let digits = behind.split(|c: char| !c.is_ascii_hexdigit()).next()?;
    u32::from_str_radix(digits, 16).ok()
}

fn by_active_directory(code: u32) -> Option<RejectReason> {
    match code {
        0x530 | 0x531 => Some(RejectReason::NotEntitled), // not at this hour, not from here
        0x532 | 0x701 => Some(RejectReason::Expired),
        0x533 => Some(RejectReason::Disabled),
        0x773 => Some(RejectReason::MustChange),
        0x775 => Some(RejectReason::Locked),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use vestibule_core::ports::backend::{Fault, RejectReason};

    use super::{Bound, of_own_bind, of_search, of_visitor};

    fn visitor(code: u32, policy: Option<u8>, text: &str) -> Option<RejectReason> {
        let bound = Bound { code, text: text.to_owned(), policy };
        of_visitor(&bound).unwrap().map(|rejection| rejection.reason)
    }

    #[test]
    fn a_visitor_is_refused_for_the_reason_that_the_directory_gives() {
        assert_eq!(visitor(0, None, ""), None);
        assert_eq!(visitor(49, None, ""), Some(RejectReason::Bad));
        assert_eq!(visitor(49, Some(0), ""), Some(RejectReason::Expired));
        assert_eq!(visitor(49, Some(1), ""), Some(RejectReason::Locked));
        assert_eq!(visitor(0, Some(2), ""), Some(RejectReason::MustChange));
        assert_eq!(visitor(0, Some(1), ""), Some(RejectReason::Locked));
        assert_eq!(visitor(19, None, ""), Some(RejectReason::Locked));
        assert_eq!(visitor(48, None, ""), Some(RejectReason::Disabled));
        assert_eq!(visitor(50, None, ""), Some(RejectReason::NotEntitled));
        assert_eq!(visitor(53, None, ""), Some(RejectReason::Disabled));
        assert_eq!(visitor(32, None, ""), Some(RejectReason::Bad));
    }

    #[test]
    fn active_directory_says_more_in_its_text() {
        let says = |data: &str| {
            let text = format!(
                "80090308: LdapErr: DSID-0C090439, comment: AcceptSecurityContext error, data \
                 {data}, v4563"
            );
            visitor(49, None, &text).unwrap()
        };
        assert_eq!(says("52e"), RejectReason::Bad);
        assert_eq!(says("525"), RejectReason::Bad);
        assert_eq!(says("530"), RejectReason::NotEntitled);
        assert_eq!(says("532"), RejectReason::Expired);
        assert_eq!(says("533"), RejectReason::Disabled);
        assert_eq!(says("701"), RejectReason::Expired);
        assert_eq!(says("773"), RejectReason::MustChange);
        assert_eq!(says("775"), RejectReason::Locked);
        assert_eq!(says(""), RejectReason::Bad);
    }

    #[test]
    fn what_is_no_answer_is_a_fault() {
        let words = |code| {
            let bound = Bound { code, ..Bound::default() };
            let of =
                |result: Result<(), Fault>| result.err().map_or("fine", |fault| fault.as_str());
            let visitor = of_visitor(&bound).map(|_| ());
            [of(visitor), of(of_own_bind(&bound)), of(of_search(code, "a search"))]
        };
        assert_eq!(words(0), ["fine"; 3]);
        for code in [3, 11, 51, 52, 80] {
            assert_eq!(words(code), ["unavailable"; 3], "{code}");
        }
        for code in [8, 10, 13] {
            assert_eq!(words(code), ["misconfigured"; 3], "{code}");
        }
        assert_eq!(words(2), ["protocol"; 3]);
        assert_eq!(words(49), ["fine", "misconfigured", "protocol"]);
        assert_eq!(words(32), ["fine", "misconfigured", "misconfigured"]);
        assert_eq!(words(4711), ["protocol"; 3]);
    }
}
