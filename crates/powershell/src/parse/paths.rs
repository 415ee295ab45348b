//! Whether a block always leaves: methods with a return type must return on every path.

use crate::ast::*;

/// Whether control never reaches the end of the block.
pub(crate) fn always_leaves(block: &StatementBlock) -> bool {
    block.statements.iter().any(statement_leaves)
}

fn statement_leaves(statement: &Statement) -> bool {
    match &statement.kind {
        StatementKind::Return(_) | StatementKind::Throw(_) | StatementKind::Exit(_) => true,
        StatementKind::If { clauses, otherwise } => {
            otherwise.as_ref().is_some_and(always_leaves) && clauses.iter().all(|(_, body)| always_leaves(body))
        }
        StatementKind::Try(parts) => {
            parts.finally.as_ref().is_some_and(always_leaves)
                || (always_leaves(&parts.body) && parts.catches.iter().all(|clause| always_leaves(&clause.body)))
        }
        StatementKind::Loop(looping) => match &looping.kind {
            LoopKind::Switch { clauses, default, .. } => {
                default.as_ref().is_some_and(always_leaves) && clauses.iter().all(|(_, body)| always_leaves(body))
            }
            LoopKind::DoWhile(body, _) | LoopKind::DoUntil(body, _) => always_leaves(body),
            // `while ($true)` without a way out does not reach what follows.
            LoopKind::While(condition, _) => is_true(condition),
            LoopKind::For { condition, .. } => condition.is_none(),
            LoopKind::ForEach { .. } => false,
        },
        _ => false,
    }
}

fn is_true(condition: &Statement) -> bool {
    let StatementKind::Pipeline(pipeline) = &condition.kind else { return false };
    matches!(pipeline.elements.as_slice(),
        [PipelineElement::Expression(Expression { kind: ExpressionKind::Variable(path), .. }, _)] if &*path.key == "true")
}
