//! The parser: that it is total, goes on after errors, and never follows a text too deep. What it makes of good and bad texts is
//! judged in `trees.rs`.

use firedrill_powershell::parse::{ERROR_LIMIT, NESTING_LIMIT};
use firedrill_powershell::session::parse;
use proptest::prelude::*;
use rstest::rstest;

/// Several statements fail, the others stand.
#[test]
fn reports_several_errors() {
    let (ast, errors) = parse("$a = 1\n$b = ;\n$c = 3\nfoo (1\n$d = 4\nif ($x) {\n  1 +\n  2..\n}\n$e = 5");
    let ids: Vec<&str> = errors.iter().map(|e| e.id).collect();
    assert_eq!(ids, ["ExpectedValueExpression", "MissingEndParenthesisInExpression", "ExpectedValueExpression"]);
    assert_eq!(ast.end.as_ref().map(|b| b.statements.len()), Some(5));
}

#[rstest]
#[case("(", ")")]
#[case("@(", ")")]
#[case("$(", ")")]
#[case("{", "}")]
#[case("@{a=", "}")]
#[case("if (1) {", "}")]
#[case("\"$(", ")\"")]
#[case("!", "")]
#[case("-not ", "")]
#[case("[int]", "")]
#[case(",", "")]
#[case("$a[", "]")]
#[case("f(", ")")]
#[case("$a.b(", ")")]
#[case("$a = ", "")]
#[case("function f {", "}")]
#[case("switch (1) { 1 {", "}}")]
#[case("try {", "} finally {}")]
#[case("\"a $(\"b $(", ")\")\"")]
#[case("@(1, (", "))")]
#[case("foreach ($i in 1) { ", "}")]
#[case("class A { [int] M() { ", "}}")]
#[case("& { ", "}")]
#[case("a | % { ", "}")]
#[case("@{ a = @{ b = ", "}}")]
fn deep_nesting_is_an_error_and_not_a_crash(#[case] open: &str, #[case] close: &str) {
    for depth in [NESTING_LIMIT * 2, 100_000] {
        let text = format!("{}1{}", open.repeat(depth), close.repeat(depth));
        let (_, errors) = parse(&text);
        assert!(!errors.is_empty(), "{open} nests without a limit");
        assert!(errors.iter().any(|e| e.id == "NestingLimit"), "{open}: {:?}", errors.first());
        assert!(errors.len() <= ERROR_LIMIT);
    }
}

#[rstest]
#[case("1 + ")]
#[case("$a.")]
#[case("'a', ")]
#[case("$x -and ")]
#[case("foo | ")]
#[case("a;")]
#[case("if (1) {} else")]
#[case("a | b | ")]
#[case("\"x\" + ")]
#[case("{} ")]
#[case("() ")]
#[case("1..")]
#[case("-join ")]
#[case("if (1) {} elseif (1) {} ")]
fn long_chains_do_not_nest(#[case] piece: &str) {
    let text = format!("{}b", piece.repeat(100_000));
    let (ast, _) = parse(&text);
    drop(ast);
}

#[rstest]
#[case::unterminated_single("'abc")]
#[case::unterminated_here("@'\nabc")]
#[case::open_brace("if (1) {")]
#[case::open_paren("foo (1,")]
#[case::trailing_pipe("Get-Thing |")]
#[case::trailing_operator("1 +")]
#[case::try_without_catch("try { 1 }")]
#[case::comment("<# abc")]
fn unfinished_input_is_marked(#[case] text: &str) {
    let (_, errors) = parse(text);
    assert!(errors.iter().any(|e| e.incomplete), "{errors:?}");
}

#[rstest]
#[case::calculated("Get-CsUser | Select-Object DisplayName, @{n='Pool';e={$_.RegistrarPool}} | Sort-Object @{e='Pool'}, DisplayName")]
#[case::attributes(
    "function f { [CmdletBinding(SupportsShouldProcess=$true)] param([Parameter(Mandatory)][ValidateRange(1,5)][int]$v, [switch]$s) }"
)]
#[case::placeholders("Invoke-CsPoolFailOver -PoolFqdn pool1.contoso.com -DisasterMode -Verbose")]
#[case::service("Set-CsSite site1 -XmppExternalFederationRoute EdgeServer:edge2.contoso.com")]
#[case::filter(
    "Get-CsUser -Filter {RegistrarPool -eq \"pool1.contoso.com\"} | Move-CsUser -Target pool2.contoso.com -Force -Confirm:$false"
)]
#[case::fluent("[System.IO.Path]::GetFileName('a').ToUpper()[0]")]
#[case::generic("[System.Collections.Generic.Dictionary[string,int]]::new()")]
#[case::comment_help(
    "<#\n.SYNOPSIS\n x\n#>\n[CmdletBinding()]\nparam(\n  [string] $A = 'x', # why\n  [int[]] $B\n)\nbegin { } process { $_ } end { }"
)]
#[case::requires("#Requires -Version 3.0\n#requires -Modules SkypeForBusiness\n1")]
#[case::using("using namespace System.Collections\n[ArrayList]::new()")]
#[case::trap("trap [System.Exception] { continue } 1")]
#[case::redirects("foo 2>&1 3>$null > out.txt; bar *>> all.log")]
#[case::calls("& 'C:\\x y\\a.ps1' -A 1; . .\\lib.ps1; & $cmd @args")]
#[case::strings("\"a`\"b $($x.y[0]) ${env:PATH} $env:X\"; 'it''s'")]
#[case::smart("Write-Host “hi” –ForegroundColor ‘Red’")]
#[case::crlf("if ($a)\r\n{\r\n  1\r\n}\r\nelse\r\n{\r\n  2\r\n}\r\n")]
#[case::switches("switch -Regex -CaseSensitive ($x) { '^a' { 1; break } {$_ -gt 5} { 2 } b { 3 } default { 4 } }")]
#[case::words("Get-ChildItem C:\\Windows\\*.log, D:\\x -Recurse; ping 10.0.0.1 -n 3; sip:user@contoso.com")]
#[case::negative("foo -Count -1 +14255551212; $x = -1; -5 + -$x")]
#[case::phone("Set-CsUser -Identity a -LineURI tel:+14255551212;ext=1212")]
fn accepts(#[case] text: &str) {
    let (_, errors) = parse(text);
    assert!(errors.is_empty(), "{errors:?}");
}

/// Comment-based help stays with its function, wherever it stands (`about_Comment_Based_Help`).
#[rstest]
#[case::in_front("<#\n.SYNOPSIS\nDoes it.\n.PARAMETER Name\nWho.\n#>\nfunction f { 1 }")]
#[case::inside("function f {\n<#\n.SYNOPSIS\n  Does it.\n.PARAMETER Name\n  Who.\n#>\nparam($Name) }")]
#[case::behind("function f { 1\n# .SYNOPSIS\n# Does it.\n# .PARAMETER Name\n# Who.\n}")]
#[case::after_another_comment("function f {\n# a remark\n\n<# .SYNOPSIS\nDoes it.\n\n.PARAMETER Name\nWho. #>\n}")]
fn help_stays_with_its_function(#[case] text: &str) {
    use firedrill_powershell::ast::StatementKind;
    use firedrill_powershell::parse::help_sections;
    let (ast, errors) = parse(text);
    assert!(errors.is_empty());
    let Some(StatementKind::Function(function)) = ast.end.as_ref().and_then(|b| b.statements.first()).map(|s| &s.kind) else {
        panic!("no function")
    };
    let sections = help_sections(function.body.help.as_deref().unwrap_or_default());
    let found: Vec<(&str, &str, &str)> = sections.iter().map(|s| (&*s.keyword, &*s.argument, &*s.text)).collect();
    assert_eq!(found, [("SYNOPSIS", "", "Does it."), ("PARAMETER", "Name", "Who.")]);
}

const SEEDS: &[&str] = &[
    include_str!("cases/strings.txt"),
    include_str!("cases/flow.txt"),
    include_str!("cases/errors.txt"),
    include_str!("cases/objects.txt"),
];

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    /// Every text gives a tree, with errors inside the text.
    #[test]
    fn parse_is_total(text in "\\PC{0,200}") {
        let (_, errors) = parse(&text);
        for error in errors {
            prop_assert!(error.span.start as usize <= text.len());
        }
    }

    /// So do texts of the language's own pieces.
    #[test]
    fn parse_is_total_on_tokens(pieces in prop::collection::vec(prop::sample::select(vec![
        "$", "$x", "(", ")", "{", "}", "[", "]", "@", "@{", "@(", "'", "\"", "`", "\n", ";", "|", "&", ".", "..", "::", ",", "=", "+", "-", "--",
        "-eq", "-not", "if", "else", "foreach", "in", "switch", "function", "param", "try", "catch", "trap", "begin", "process", "1", "0x", "1kb",
        "@'\n", "\n'@", "@\"\n", "\n\"@", "<#", "#>", "#", ">", "2>&1", "--%", " ", ":", "a", "“", "–", "é", "\0", "[int]", "data", "class A {", "$(",
    ]), 0..60)) {
        let text = pieces.concat();
        let _ = parse(&text);
    }

    /// Cuts and insertions in real scripts never panic.
    #[test]
    fn mutations_do_not_panic(seed in 0..4usize, from in any::<prop::sample::Index>(), length in 0..400usize, cut in 0..40usize, insert in "[\\$\\(\\)\\{\\}\\[\\]@'\"`|;,.= \\n]{0,3}") {
        let seed = SEEDS[seed];
        let start = from.index(seed.len());
        let slice: String = seed[(0..=start).rev().find(|at| seed.is_char_boundary(*at)).unwrap_or(0)..].chars().take(length).collect();
        let at = (0..=cut.min(slice.len())).rev().find(|at| slice.is_char_boundary(*at)).unwrap_or(0);
        let text = format!("{}{}{}", &slice[..at], insert, slice[at..].chars().skip(1).collect::<String>());
        let _ = parse(&text);
    }
}
