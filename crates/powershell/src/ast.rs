//! The syntax tree. It mirrors `System.Management.Automation.Language`, so that node kinds and spans can be compared
//! with PowerShell's own; every node carries its exact byte span. One deviation: a run of binary operators of one
//! precedence is one node ([`ExpressionKind::Binary`]), so that long sums are not deep trees.

use std::sync::Arc;

use crate::source::{Source, Span};
use crate::value::Value;

mod definitions;
mod outline;

pub use definitions::{MemberDefinition, MemberVisibility, MethodDefinition, Ownership, PropertyDefinition, TypeDefinition, TypeKind};
pub use outline::{Node, outline};

/// `ScriptBlockAst`: a script, the body of a function, or a script block expression.
#[derive(Debug)]
pub struct ScriptBlockAst {
    /// The text that it is part of.
    pub source: Arc<Source>,
    /// Its bytes, braces included.
    pub span: Span,
    /// Attributes before `param`, `[CmdletBinding()]`.
    pub attributes: Vec<Arc<Attribute>>,
    /// `param(...)`, or the parameter list of a function.
    pub parameters: Vec<Parameter>,
    /// Whether a `param` block (or parameter list) was written.
    pub has_param_block: bool,
    /// The bytes of the `param` block, attributes included; absent for parameter lists of functions.
    pub param_span: Option<Span>,
    /// The body of a `filter`: what stands in `process` was written without that word.
    pub implicit_process: bool,
    /// Comments that may be help: before the first statement, or (functions) in front of the definition.
    pub help: Option<Arc<str>>,
    /// `begin`.
    pub begin: Option<StatementBlock>,
    /// `process`; for filters the whole body.
    pub process: Option<StatementBlock>,
    /// `end`, or the statements of a block without named blocks.
    pub end: Option<StatementBlock>,
    /// `dynamicparam`.
    pub dynamic_param: Option<StatementBlock>,
    /// `using` statements at the top of a script.
    pub usings: Vec<Using>,
    /// `#Requires` lines, without `#Requires`.
    pub requires: Vec<(Arc<str>, Span)>,
}

/// `UsingStatementAst`.
#[derive(Debug)]
pub struct Using {
    /// `namespace`, `module` or `assembly`, lower case.
    pub kind: Arc<str>,
    /// What follows.
    pub name: Arc<str>,
    /// The same as an expression: a word, or the hashtable of a module.
    pub argument: Expression,
    /// Its bytes.
    pub span: Span,
}

/// `StatementBlockAst` or the statements of a `NamedBlockAst`.
#[derive(Debug)]
pub struct StatementBlock {
    /// Its bytes, braces included where it has them.
    pub span: Span,
    /// The statements in order; traps stand in `traps`.
    pub statements: Vec<Statement>,
    /// `trap` statements of the block.
    pub traps: Vec<CatchClause>,
}

/// `StatementAst`.
#[derive(Debug)]
pub struct Statement {
    /// Its bytes, without a separator.
    pub span: Span,
    /// What it is.
    pub kind: StatementKind,
}

/// The kinds of statements.
#[derive(Debug)]
pub enum StatementKind {
    /// `PipelineAst`.
    Pipeline(Pipeline),
    /// `AssignmentStatementAst`.
    Assignment(Box<Assignment>),
    /// `IfStatementAst`.
    If {
        /// Conditions with their blocks.
        clauses: Vec<(Statement, StatementBlock)>,
        /// `else`.
        otherwise: Option<StatementBlock>,
    },
    /// Loops and `switch`.
    Loop(Box<Loop>),
    /// `TryStatementAst`.
    Try(Box<Try>),
    /// `ThrowStatementAst`.
    Throw(Option<Box<Statement>>),
    /// `ReturnStatementAst`.
    Return(Option<Box<Statement>>),
    /// `ExitStatementAst`.
    Exit(Option<Box<Statement>>),
    /// `BreakStatementAst`, with its label.
    Break(Option<Box<Expression>>),
    /// `ContinueStatementAst`, with its label.
    Continue(Option<Box<Expression>>),
    /// `FunctionDefinitionAst`.
    Function(Arc<FunctionDefinition>),
    /// `TypeDefinitionAst`.
    Type(Arc<TypeDefinition>),
    /// `workflow` and `configuration`: parsed, refused when they run.
    Refused {
        /// The keyword, lower case.
        keyword: &'static str,
        /// Its name.
        name: Arc<str>,
        /// The body, for `configuration` as for `workflow`.
        body: Arc<ScriptBlockAst>,
    },
    /// `DataStatementAst`.
    Data {
        /// Variable that takes the value.
        name: Option<VariablePath>,
        /// `-SupportedCommand`.
        commands: Vec<Expression>,
        /// The block.
        body: Box<StatementBlock>,
    },
}

/// `AssignmentStatementAst`.
#[derive(Debug)]
pub struct Assignment {
    /// What is assigned to.
    pub left: Expression,
    /// `=`, `+=` …
    pub op: AssignmentOp,
    /// Where the operator stands.
    pub op_span: Span,
    /// Any statement; its output is the value.
    pub right: Statement,
}

/// Assignment operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum AssignmentOp {
    /// `=`
    Set,
    /// `+=`
    Add,
    /// `-=`
    Sub,
    /// `*=`
    Mul,
    /// `/=`
    Div,
    /// `%=`
    Rem,
}

/// `LabeledStatementAst`.
#[derive(Debug)]
pub struct Loop {
    /// `:label`, without the colon.
    pub label: Option<Arc<str>>,
    /// Which loop.
    pub kind: LoopKind,
}

/// Loops and `switch`.
#[derive(Debug)]
pub enum LoopKind {
    /// `while`.
    While(Statement, StatementBlock),
    /// `do … while`.
    DoWhile(StatementBlock, Statement),
    /// `do … until`.
    DoUntil(StatementBlock, Statement),
    /// `for`.
    For {
        /// First part.
        initializer: Option<Statement>,
        /// Second part; absent means true.
        condition: Option<Statement>,
        /// Third part.
        iterator: Option<Statement>,
        /// Body.
        body: StatementBlock,
    },
    /// `foreach`.
    ForEach {
        /// The variable.
        variable: VariablePath,
        /// What is enumerated.
        collection: Statement,
        /// Body.
        body: StatementBlock,
    },
    /// `switch`.
    Switch {
        /// How clauses match.
        matching: SwitchMatching,
        /// `-CaseSensitive`.
        case_sensitive: bool,
        /// `-File`: the condition is a path.
        file: bool,
        /// What is examined.
        condition: Statement,
        /// Clauses in order.
        clauses: Vec<(Expression, StatementBlock)>,
        /// `default`.
        default: Option<StatementBlock>,
    },
}

/// How `switch` compares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SwitchMatching {
    /// Equality of texts and numbers.
    Exact,
    /// `-Wildcard`.
    Wildcard,
    /// `-Regex`.
    Regex,
}

/// `TryStatementAst`.
#[derive(Debug)]
pub struct Try {
    /// `try`.
    pub body: StatementBlock,
    /// `catch` clauses in order.
    pub catches: Vec<CatchClause>,
    /// `finally`.
    pub finally: Option<StatementBlock>,
}

/// `CatchClauseAst`, and `TrapStatementAst`, which has the same shape.
#[derive(Debug)]
pub struct CatchClause {
    /// Its bytes.
    pub span: Span,
    /// Exception types as written; empty catches everything.
    pub types: Vec<TypeName>,
    /// What runs.
    pub body: StatementBlock,
}

/// `PipelineAst`.
#[derive(Debug)]
pub struct Pipeline {
    /// Its bytes.
    pub span: Span,
    /// Elements in order; an expression can only be the first.
    pub elements: Vec<PipelineElement>,
}

/// `CommandBaseAst`.
#[derive(Debug)]
pub enum PipelineElement {
    /// `CommandAst`.
    Command(Command),
    /// `CommandExpressionAst`.
    Expression(Expression, Vec<Redirection>),
}

/// How a command is invoked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvocationOperator {
    /// By its name alone.
    None,
    /// `&`
    Call,
    /// `.`
    Dot,
}

/// `CommandAst`.
#[derive(Debug)]
pub struct Command {
    /// Its bytes.
    pub span: Span,
    /// `&`, `.` or nothing.
    pub operator: InvocationOperator,
    /// Name and arguments, in order.
    pub elements: Vec<CommandElement>,
    /// Redirections.
    pub redirections: Vec<Redirection>,
}

/// `CommandElementAst`.
#[derive(Debug)]
pub enum CommandElement {
    /// `CommandParameterAst`: `-Name` or `-Name:argument`.
    Parameter {
        /// Name without dash.
        name: Arc<str>,
        /// The argument behind a colon.
        argument: Option<Box<Expression>>,
        /// Its bytes, argument included.
        span: Span,
    },
    /// An argument, the command's name included.
    Argument(Expression),
}

impl CommandElement {
    /// Its bytes.
    pub fn span(&self) -> Span {
        match self {
            Self::Parameter { span, .. } => *span,
            Self::Argument(expression) => expression.span,
        }
    }
}

/// `RedirectionAst`.
#[derive(Debug)]
pub struct Redirection {
    /// Its bytes.
    pub span: Span,
    /// What is redirected.
    pub from: RedirectedStream,
    /// Where to.
    pub to: RedirectionTarget,
}

/// Streams by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RedirectedStream {
    /// `1>`, `>`
    Output,
    /// `2>`
    Error,
    /// `3>`
    Warning,
    /// `4>`
    Verbose,
    /// `5>`
    Debug,
    /// `6>`
    Information,
    /// `*>`
    All,
}

/// Targets of redirections.
#[derive(Debug)]
pub enum RedirectionTarget {
    /// `2>&1`
    Output,
    /// `> file`, `>> file`
    File {
        /// The path.
        path: Expression,
        /// `>>`
        append: bool,
    },
}

/// `ExpressionAst`.
#[derive(Debug)]
pub struct Expression {
    /// Its bytes.
    pub span: Span,
    /// What it is.
    pub kind: ExpressionKind,
}

/// How a text was quoted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quoting {
    /// Not at all.
    Bare,
    /// `'…'`
    Single,
    /// `"…"`
    Double,
    /// `@'…'@`
    SingleHere,
    /// `@"…"@`
    DoubleHere,
}

/// The kinds of expressions.
#[derive(Debug)]
pub enum ExpressionKind {
    /// `ConstantExpressionAst`: a number.
    Constant(Value),
    /// `StringConstantExpressionAst`.
    Text(Arc<str>, Quoting),
    /// `ExpandableStringExpressionAst`.
    Expandable(Vec<StringPart>, Quoting),
    /// `VariableExpressionAst`.
    Variable(VariablePath),
    /// `@name` as an argument.
    Splat(VariablePath),
    /// `UsingExpressionAst`: `$using:name`.
    Using(VariablePath),
    /// `MemberExpressionAst`.
    Member(Box<Member>),
    /// `InvokeMemberExpressionAst`.
    Invoke(Box<Member>, Vec<Expression>),
    /// `IndexExpressionAst`.
    Index(Box<Expression>, Box<Expression>),
    /// `ArrayLiteralAst`.
    ArrayLiteral(Vec<Expression>),
    /// `ArrayExpressionAst`: `@(…)`.
    Array(StatementBlock),
    /// `SubExpressionAst`: `$(…)`.
    Sub(StatementBlock),
    /// `ParenExpressionAst`.
    Paren(Box<Statement>),
    /// `HashtableAst`.
    Hash(Vec<(Expression, Statement)>),
    /// `ScriptBlockExpressionAst`.
    ScriptBlock(Arc<ScriptBlockAst>),
    /// `TypeExpressionAst`.
    Type(TypeName),
    /// `ConvertExpressionAst`.
    Convert(TypeName, Box<Expression>),
    /// `AttributedExpressionAst`: `[ValidateSet('a')]$x`.
    Attributed(Arc<Attribute>, Box<Expression>),
    /// `UnaryExpressionAst`.
    Unary(UnaryOp, Box<Expression>),
    /// A run of `BinaryExpressionAst` of one precedence, left to right.
    Binary(Box<Expression>, Vec<BinaryStep>),
    /// `--%` and the rest of the line.
    Verbatim(Arc<str>),
}

/// Operator and right operand.
#[derive(Debug)]
pub struct BinaryStep {
    /// The operator.
    pub op: BinaryOp,
    /// Whether it was written with `c` (`-ceq`).
    pub case_sensitive: bool,
    /// Where the operator stands.
    pub op_span: Span,
    /// Right operand.
    pub right: Expression,
}

/// Target and name of a member access.
#[derive(Debug)]
pub struct Member {
    /// Left of the dot.
    pub target: Expression,
    /// Right of the dot: a text, or an expression for dynamic names.
    pub name: Expression,
    /// `::`
    pub is_static: bool,
}

/// A piece of an expandable string.
#[derive(Debug)]
pub enum StringPart {
    /// Text, escapes resolved.
    Text(Arc<str>),
    /// A variable or `$(…)`.
    Expression(Expression),
}

/// `VariablePath`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VariablePath {
    /// Its bytes, sigil included.
    pub span: Span,
    /// Scope or drive before the colon, lower case (`global`, `env`).
    pub scope: Option<Arc<str>>,
    /// Name as written, without scope.
    pub name: Arc<str>,
    /// Name in lower case.
    pub key: Arc<str>,
}

/// Prefix and postfix operators.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UnaryOp {
    /// `-not`, `!`
    Not,
    /// `-bnot`
    BitNot,
    /// `-`
    Minus,
    /// `+`
    Plus,
    /// Unary `,`
    Comma,
    /// `-join`
    Join,
    /// `-split`; true for `-csplit`
    Split(bool),
    /// `++$x`
    PreIncrement,
    /// `--$x`
    PreDecrement,
    /// `$x++`
    PostIncrement,
    /// `$x--`
    PostDecrement,
}

/// Binary operators; case variants stand in [`BinaryStep::case_sensitive`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum BinaryOp {
    And,
    Or,
    Xor,
    BitAnd,
    BitOr,
    BitXor,
    Shl,
    Shr,
    Eq,
    Ne,
    Gt,
    Ge,
    Lt,
    Le,
    Like,
    NotLike,
    Match,
    NotMatch,
    Replace,
    Contains,
    NotContains,
    In,
    NotIn,
    Is,
    IsNot,
    As,
    Split,
    Join,
    Add,
    Sub,
    Mul,
    Div,
    Rem,
    Format,
    Range,
}

/// `ITypeName`, as written between the brackets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TypeName {
    /// The text without outer brackets and blanks.
    pub name: Arc<str>,
    /// Its bytes, brackets included.
    pub span: Span,
}

/// `AttributeAst`.
#[derive(Debug)]
pub struct Attribute {
    /// Its bytes.
    pub span: Span,
    /// Name as written, without a trailing `Attribute`.
    pub name: Arc<str>,
    /// Arguments by position.
    pub positional: Vec<Expression>,
    /// Arguments by name; `None` for a name alone, which means true.
    pub named: Vec<(Arc<str>, Option<Expression>)>,
    /// Where each of `named` stands.
    pub named_spans: Vec<Span>,
}

/// `ParameterAst`.
#[derive(Debug)]
pub struct Parameter {
    /// Its bytes.
    pub span: Span,
    /// Attributes.
    pub attributes: Vec<Arc<Attribute>>,
    /// Type constraints in order; the last one decides.
    pub types: Vec<TypeName>,
    /// The variable.
    pub name: VariablePath,
    /// Default value.
    pub default: Option<Expression>,
}

/// `FunctionDefinitionAst`.
#[derive(Debug)]
pub struct FunctionDefinition {
    /// Its bytes.
    pub span: Span,
    /// Scope written before the name (`global:`), lower case.
    pub scope: Option<Arc<str>>,
    /// Name as written.
    pub name: Arc<str>,
    /// Whether it is a `filter`.
    pub filter: bool,
    /// Its parameters stand behind its name, not in a `param` block.
    pub inline_parameters: bool,
    /// The body.
    pub body: Arc<ScriptBlockAst>,
}
