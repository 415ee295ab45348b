//! Types that scripts define: `class` and `enum`.

use std::sync::Arc;

use super::{Attribute, Expression, FunctionDefinition, TypeName};
use crate::source::Span;

/// What a type definition makes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TypeKind {
    /// `class`.
    Class,
    /// `enum`.
    Enum,
}

/// `TypeDefinitionAst`.
#[derive(Debug)]
pub struct TypeDefinition {
    /// Its bytes, attributes included.
    pub span: Span,
    /// `class` or `enum`.
    pub kind: TypeKind,
    /// Name as written.
    pub name: Arc<str>,
    /// Where the name stands.
    pub name_span: Span,
    /// Attributes before the keyword, `[Flags()]`.
    pub attributes: Vec<Arc<Attribute>>,
    /// Base class and interfaces, or the underlying type of an enumeration.
    pub bases: Vec<TypeName>,
    /// Members in order.
    pub members: Vec<MemberDefinition>,
}

/// `MemberAst`.
#[derive(Debug)]
pub enum MemberDefinition {
    /// `PropertyMemberAst`; members of enumerations too.
    Property(PropertyDefinition),
    /// `FunctionMemberAst`: a method or a constructor.
    Method(MethodDefinition),
}

/// Who a member belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ownership {
    /// Every object has its own.
    Instance,
    /// The type has it: `static`.
    Static,
}

/// Whether a member shows in views and `Get-Member`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MemberVisibility {
    /// It does.
    Public,
    /// It does not: `hidden`.
    Hidden,
}

/// `PropertyMemberAst`.
#[derive(Debug)]
pub struct PropertyDefinition {
    /// Its bytes.
    pub span: Span,
    /// Name without sigil.
    pub name: Arc<str>,
    /// Attributes, `[ValidateRange(1, 5)]`.
    pub attributes: Vec<Arc<Attribute>>,
    /// Type constraint.
    pub type_name: Option<TypeName>,
    /// Initial value.
    pub initial: Option<Expression>,
    /// `static`.
    pub ownership: Ownership,
    /// `hidden`.
    pub visibility: MemberVisibility,
}

/// `FunctionMemberAst`.
#[derive(Debug)]
pub struct MethodDefinition {
    /// Its bytes.
    pub span: Span,
    /// Attributes.
    pub attributes: Vec<Arc<Attribute>>,
    /// Return type; absent means `object` for methods, nothing for constructors.
    pub return_type: Option<TypeName>,
    /// Name, parameters and body.
    pub function: Arc<FunctionDefinition>,
    /// Arguments of `: base(…)`.
    pub base_arguments: Option<(Vec<Expression>, Span)>,
    /// `static`.
    pub ownership: Ownership,
    /// `hidden`.
    pub visibility: MemberVisibility,
}
