//! Scenario files, the runner, expectations and verdicts.
