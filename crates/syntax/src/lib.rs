//! Sources, spans, diagnostics and YAML reading shared by every document of Firedrill.
