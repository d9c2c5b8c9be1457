//! Why a text is not an attach point.

/// A text that is not an attach point; says what would be right.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum AttachPointError {
    /// No `PROGRAM=` in front.
    #[error("attach point `{0}` is not `PROGRAM=KIND:TARGET[,key=value…]`")]
    Shape(String),
    /// A kind that this version cannot attach.
    #[error("attach point `{text}` has unknown kind `{kind}`; known: {known}", known = super::KINDS.join(", "))]
    UnknownKind {
        /// The kind.
        kind: String,
        /// The whole text.
        text: String,
    },
    /// Nothing, or nothing usable, after `KIND:`.
    #[error("attach point `{text}` needs a target: `{form}`")]
    Target {
        /// The whole text.
        text: String,
        /// How the kind is written.
        form: &'static str,
    },
    /// An option that the kind does not have.
    #[error("attach point `{text}` has unknown option `{key}`; {kind} takes: {known}")]
    UnknownOption {
        /// The option.
        key: String,
        /// The whole text.
        text: String,
        /// The kind.
        kind: String,
        /// Options of the kind.
        known: String,
    },
    /// An option given twice.
    #[error("attach point `{text}` gives `{key}` twice")]
    RepeatedOption {
        /// The option.
        key: String,
        /// The whole text.
        text: String,
    },
    /// A value that its option does not take.
    #[error("attach point `{text}`: `{value}` is no value for `{key}`; it takes {form}")]
    Value {
        /// The option.
        key: String,
        /// The value.
        value: String,
        /// The whole text.
        text: String,
        /// What the option takes.
        form: &'static str,
    },
    /// Percent-encoding that is cut off or does not give UTF-8.
    #[error("attach point `{0}` has bad percent-encoding")]
    Encoding(String),
}
