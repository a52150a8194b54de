// Texts that want to be more than text.
namespace Estat.Console.Tests;

/// <summary>
/// What the world sends to whoever shows it: markup, handlers, schemes, templates, ways out of attributes and scripts, and what turns reading around.
/// All of it calls <c>alert</c>, sets <c>window.owned</c>, or asks <c>evil.example</c>; the visit notices each.
/// </summary>
internal static class HostileTexts
{
    internal static IReadOnlyList<string> All { get; } =
    [
        "<script>alert(1);window.owned=1</script>",
        "<img src=x onerror=alert(2)>",
        "<img src=//evil.example/pixel.gif>",
        "<svg onload=alert(3)><animate onbegin=alert(4) attributeName=x></svg>",
        "<svg><script href=data:text/javascript,alert(5)></script></svg>",
        "<iframe srcdoc='<script>parent.owned=1</script>'></iframe>",
        "<details open ontoggle=alert(6)><summary>x</summary></details>",
        "<math><mtext><table><mglyph><style><!--</style><img title=\"--&gt;&lt;img src=1 onerror=alert(7)&gt;\">",
        "<a href=\"javascript:alert(8)\" id=content>x</a>",
        "<form action=//evil.example><input name=innerHTML autofocus onfocus=alert(9)></form>",
        "<base href=//evil.example/>",
        "<meta http-equiv=refresh content=\"0;url=//evil.example\">",
        "<link rel=stylesheet href=//evil.example/x.css><style>@import '//evil.example/y.css'</style>",
        "<object data=//evil.example/o></object><embed src=//evil.example/e>",
        "<video><source onerror=alert(10)></video><audio src onerror=alert(11)></audio>",
        "\"><script>alert(12)</script>",
        "' onmouseover='alert(13)' x='",
        "</textarea></title></style></pre></code><script>alert(14)</script>",
        "--><script>alert(15)</script><!--",
        "]]><script>alert(16)</script>",
        "{{constructor.constructor('alert(17)')()}}${alert(18)}#{7*7}<%= 7*7 %>",
        "\\u003cscript\\u003ealert(19)\\u003c/script\\u003e &lt;img src=x onerror=alert(20)&gt; %3Cscript%3Ealert(21)%3C/script%3E",
        "{\"__proto__\":{\"owned\":1},\"constructor\":{\"prototype\":{\"owned\":1}},\"<img src=x "
            + "onerror=alert(22)>\":\"<script>alert(23)</script>\"}",
        "{\"body\":\"<script>alert(24)</script>\",\"ts\":\"<b>\",\"ip\":{\"a\":1},\"user_agent\":[\"<i>\"]}",
        "\u202Egnp.txt\u202C \u2066<script>\u2069 \u200Bzero\u200Bwidth \uFEFFbom",
        "＜script＞alert(25)＜/script＞ ‹img src=x onerror=alert(26)› ʺ onload=alert(27) x=ʺ",
        "\u0000\u0008\u001B[31mred\u001B[0m \u2028alert(28)\u2029",
        "event: event\ndata: {\"body\":\"forged\"}\n\nevent: state\ndata: {\"nodes\":[]}\n\n",
        new string('<', 3000) + "img src=x onerror=alert(29)>" + new string('A', 8000),
        string.Concat(Enumerable.Repeat("Z\u0351\u036B\u0343\u036A\u0302", 300)),
    ];

    /// <summary>Those that can be a header's value.</summary>
    internal static IEnumerable<string> ForHeaders => All.Where(text => text.Length < 4000 && text.All(c => c is >= ' ' and < '\x7f'));
}
