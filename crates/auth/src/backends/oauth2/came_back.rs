//! What a visitor brings back from the provider (RFC 6749 section 4.1.2).

use vestibule_core::ports::backend::{Fault, RejectReason, Rejection, Verdict};

/// The code that came back, if what came back is sound. With an issuer, what came back has to be
/// of that one (RFC 9207); `announced` says whether the provider promised to name itself.
pub(crate) fn code<'a>(
    parameters: &'a [(String, String)],
    issuer: Option<&str>,
    announced: bool,
) -> Result<&'a str, Verdict> {
    let code = once(parameters, "code")?;
    let error = once(parameters, "error")?;
    let named = once(parameters, "iss")?;
    match (issuer, named) {
        (Some(issuer), Some(named)) if named != issuer => {
            return Err(unsound("it came back in another issuer's name"));
        }
        (Some(_), None) if announced => return Err(unsound("it came back in nobody's name")),
        _ => {}
    }
    match (code, error) {
        (Some(_), Some(_)) => Err(unsound("a code and an error came back together")),
        (Some(code), None) if !code.is_empty() => Ok(code),
        (_, None) => Err(unsound("no code came back")),
        (None, Some(error)) => Err(said(error)),
    }
}

/// What the provider said, by its stable word; the rest of its text is its own.
fn said(error: &str) -> Verdict {
    match error {
        "access_denied"
        | "login_required"
        | "consent_required"
        | "interaction_required"
        | "account_selection_required" => Verdict::rejected(RejectReason::Cancelled),
        "server_error" | "temporarily_unavailable" => {
            let what = "the visitor came back with word that the provider cannot at the moment";
            Verdict::Fault(Fault::Reported(what.to_owned()))
        }
        "invalid_request"
        | "unauthorized_client"
        | "unsupported_response_type"
        | "invalid_scope" => {
            let what = format!("the visitor came back with word that we ask wrongly: {error}");
            Verdict::Fault(Fault::Reported(what))
        }
        _ => unsound("the provider said no in words of its own"),
    }
}

fn once<'a>(
    parameters: &'a [(String, String)],
    name: &'static str,
) -> Result<Option<&'a str>, Verdict> {
    let mut values = parameters.iter().filter(|(known, _)| known == name);
    let first = values.next().map(|(_, value)| value.as_str());
    match values.next() {
        None => Ok(first),
        Some(_) => Err(unsound("a parameter came back twice")),
    }
}

fn unsound(detail: &'static str) -> Verdict {
    Verdict::Rejected(Rejection::new(RejectReason::BadOrUnknown).because(detail))
}

#[cfg(test)]
mod tests {
    use vestibule_core::ports::backend::{Fault, RejectReason, Verdict};

    use super::code;

    const OURS: &str = "https://idp.example";

    fn given(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn atk_a113_what_comes_back_twice_or_together_is_refused() {
        for pairs in [
            &[("code", "a"), ("code", "b")][..],
            &[("code", "a"), ("error", "access_denied")],
            &[("iss", OURS), ("iss", OURS), ("code", "a")],
            &[("error", "x"), ("error", "y")],
            &[("code", "")],
            &[],
        ] {
            assert!(matches!(code(&given(pairs), Some(OURS), false), Err(Verdict::Rejected(_))));
        }
        assert_eq!(code(&given(&[("code", "a")]), Some(OURS), false).unwrap(), "a");
    }

    #[test]
    fn std_s40_the_issuer_that_comes_back_is_compared_letter_by_letter_on_errors_too() {
        let came = |iss: &str| given(&[("code", "a"), ("iss", iss)]);
        assert!(code(&came(OURS), Some(OURS), true).is_ok());
        for other in ["https://idp.example/", "https://IDP.example", "https://evil.example", ""] {
            assert!(code(&came(other), Some(OURS), false).is_err(), "{other}");
        }
        // Announced and missing; and an error in somebody else's name.
        assert!(code(&given(&[("code", "a")]), Some(OURS), true).is_err());
        let error = given(&[("error", "server_error"), ("iss", "https://evil.example")]);
        assert!(matches!(code(&error, Some(OURS), false), Err(Verdict::Rejected(_))));
    }

    #[test]
    fn a_provider_that_cannot_is_no_refusal_and_a_visitor_who_would_not_is_one() {
        let came = |error: &str| code(&given(&[("error", error)]), None, false).unwrap_err();
        let cancelled = |verdict| matches!(verdict, Verdict::Rejected(r) if r.reason == RejectReason::Cancelled);
        assert!(cancelled(came("access_denied")));
        assert!(matches!(came("temporarily_unavailable"), Verdict::Fault(Fault::Reported(_))));
        assert!(matches!(came("invalid_scope"), Verdict::Fault(Fault::Reported(_))));
        let Verdict::Rejected(own) = came("<script>alert(1)</script>\r\nforged") else { panic!() };
        assert!(!own.for_audit().contains("script"));
    }
}
