//! The close frame that tells a peer why its socket ends
//! ([RFC 6455, section 7.4](https://www.rfc-editor.org/rfc/rfc6455#section-7.4)).

use axum::extract::ws::{CloseCode, CloseFrame, close_code};
use session_core::{CompletionCause, LocalSession as _, Pass, Session};

/// The most bytes of a reason: a control frame carries 125, two of which are the code.
const MAX_REASON: usize = 123;

/// The handler has returned.
pub(super) fn finished() -> CloseFrame {
    frame(close_code::NORMAL, "")
}

/// The handler has panicked.
pub(super) fn panicked() -> CloseFrame {
    frame(close_code::ERROR, "")
}

/// Whether the session has ended, or is parted from the request with this right.
pub(super) fn is_over(session: &Session, pass: Pass) -> bool {
    session.is_completed() || session.is_parted_from(pass)
}

/// The session has ended, or is parted from the request with this right.
pub(super) fn session_over(session: &Session, pass: Pass) -> CloseFrame {
    match session.completion_cause() {
        Some(cause) if !session.is_parted_from(pass) => match session.completion_reason() {
            Some(reason) => frame(code(cause), &reason),
            None => frame(code(cause), &cause.to_string()),
        },
        // The client comes back with its new id, unless it is the stranger who knew only the old one.
        _ => frame(close_code::AWAY, "the session has a new id"),
    }
}

/// `AWAY` where the server has let the client go for reasons of its own, so that the client may just come back; `POLICY`
/// where somebody or some rule has ended the visitor's session, so that coming back takes a new log-in.
fn code(cause: CompletionCause) -> CloseCode {
    match cause {
        CompletionCause::Shutdown
        | CompletionCause::IdleTimeout
        | CompletionCause::Evicted
        | CompletionCause::OwnershipLost => close_code::AWAY,
        _ => close_code::POLICY,
    }
}

/// A close frame with as much of the reason as fits.
fn frame(code: CloseCode, reason: &str) -> CloseFrame {
    let reason = &reason[..reason.floor_char_boundary(MAX_REASON)];
    CloseFrame {
        code,
        reason: reason.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reasons_are_cut_between_characters() {
        let cut = |text: &str| frame(close_code::POLICY, text).reason.as_str().to_owned();
        assert_eq!(cut(""), "");
        assert_eq!(cut("signed out elsewhere"), "signed out elsewhere");
        let fits = "x".repeat(MAX_REASON);
        assert_eq!(cut(&fits), fits);
        assert_eq!(cut(&format!("{fits}y")), fits);
        // A character of two, three or four bytes that would end at the 124th.
        for character in ['\u{e9}', '\u{20ac}', '\u{1f980}'] {
            let before = "x".repeat(MAX_REASON + 1 - character.len_utf8());
            assert_eq!(cut(&format!("{before}{character}")), before);
            let before = &before[1..];
            let whole = format!("{before}{character}");
            assert_eq!(cut(&format!("{whole}z")), whole);
        }
    }

    #[test]
    fn a_client_may_come_back_unless_the_visitors_session_was_ended() {
        for (cause, expected) in [
            (CompletionCause::Shutdown, 1001),
            (CompletionCause::IdleTimeout, 1001),
            (CompletionCause::Evicted, 1001),
            (CompletionCause::OwnershipLost, 1001),
            (CompletionCause::Terminated, 1008),
            (CompletionCause::AbsoluteTimeout, 1008),
        ] {
            assert_eq!(code(cause), expected, "{cause}");
        }
    }
}
