// Origins of pages: written as browsers write them, or refused.
using Estat.Base.Options;

namespace Estat.Base.Tests.Options;

public sealed class PageOriginsTests
{
    [Theory]
    [InlineData("*", "*")]
    [InlineData("null", "null")]
    [InlineData("https://shop.example", "https://shop.example")]
    [InlineData("HTTPS://Shop.Example", "https://shop.example")]
    [InlineData("https://shop.example:443", "https://shop.example")]
    [InlineData("https://shop.example:0443", "https://shop.example")]
    [InlineData("https://shop.example:80", "https://shop.example:80")]
    [InlineData("http://localhost:80", "http://localhost")]
    [InlineData("http://localhost:3000", "http://localhost:3000")]
    [InlineData("https://한국.example", "https://xn--3e0b707e.example")]
    [InlineData("https://shop.한국", "https://shop.xn--3e0b707e")]
    [InlineData("https://BÜCHER.example:8443", "https://xn--bcher-kva.example:8443")]
    [InlineData("https://Ä.example", "https://xn--4ca.example")]
    [InlineData("https://XN--3E0B707E.example", "https://xn--3e0b707e.example")]
    [InlineData("http://[2001:DB8:0::1]:80", "http://[2001:db8::1]")]
    [InlineData("http://127.0.0.1:8080", "http://127.0.0.1:8080")]
    [InlineData("http://127.1", "http://127.0.0.1")]
    [InlineData("https://*.shop.example", "https://*.shop.example")]
    [InlineData("https://*.SHOP.example:443", "https://*.shop.example")]
    [InlineData("https://*.한국.example", "https://*.xn--3e0b707e.example")]
    [InlineData("capacitor://localhost", "capacitor://localhost")]
    [InlineData("ionic://localhost", "ionic://localhost")]
    [InlineData("tauri://localhost", "tauri://localhost")]
    [InlineData("chrome-extension://abcdefghijklmnopabcdefghijklmnop", "chrome-extension://abcdefghijklmnopabcdefghijklmnop")]
    [InlineData("moz-extension://0B7E2C3A-3B1D-4F2E-9F55-3C6E1F0A7B11", "moz-extension://0b7e2c3a-3b1d-4f2e-9f55-3c6e1f0a7b11")]
    public void An_origin_is_written_as_browsers_write_it_and_then_stays_the_same(string text, string written)
    {
        Assert.Equal(written, PageOrigins.Parse(text));
        Assert.Equal(written, PageOrigins.Parse(written));
        Assert.True(new PageOrigins([written])
            .Allows(written.Replace("*.", "a.", StringComparison.Ordinal).Replace("*", "https://a.example", StringComparison.Ordinal)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("shop.example")]
    [InlineData("https:shop.example")]
    [InlineData("https://")]
    [InlineData("https://shop.example/")]
    [InlineData("https://shop.example/path")]
    [InlineData("https://shop.example?x=1")]
    [InlineData("https://shop.example#top")]
    [InlineData("https://user@shop.example")]
    [InlineData("https://shop.example:")]
    [InlineData("https://shop.example:x")]
    [InlineData("https://shop.example:70000")]
    [InlineData("https://shop example")]
    [InlineData("https://shop%2eexample")]
    [InlineData("https://1.2.3.09")]
    [InlineData("https://1.2.3.400")]
    [InlineData("https://a..b")]
    [InlineData("https://\u1112\u1161\u11AB.example")] // Hangul in parts, which browsers compose
    [InlineData("https://*")]
    [InlineData("https://*.example")]
    [InlineData("https://*.1.2.3.4")]
    [InlineData("https://shop.*.example")]
    [InlineData("https://*shop.example")]
    [InlineData("https://*.*.example")]
    [InlineData("*.shop.example")]
    [InlineData("capacitor://*")]
    [InlineData("file://")]
    [InlineData("file:///")]
    [InlineData("ftp://shop.example")]
    [InlineData("wss://shop.example")]
    [InlineData("data://x")]
    [InlineData("1a://shop.example")]
    [InlineData("NULL")]
    public void What_no_browser_sends_is_refused(string text) => Assert.Null(PageOrigins.Parse(text));

    [Theory]
    [InlineData("https://a.shop.example", true)]
    [InlineData("https://b.a.shop.example", true)]
    [InlineData("https://A.SHOP.example", true)]
    [InlineData("https://shop.example", false)]
    [InlineData("https://.shop.example", false)]
    [InlineData("https://evilshop.example", false)]
    [InlineData("https://shop.example.evil.example", false)]
    [InlineData("https://a.shop.example:8443", false)]
    [InlineData("http://a.shop.example", false)]
    [InlineData("https://evil.example/.shop.example", false)]
    [InlineData("https://evil.example:1.shop.example", false)]
    [InlineData("https://evil@a.shop.example", false)]
    [InlineData("null", false)]
    [InlineData("https://\u00E4.shop.example", false)] // no browser's: it writes punycode, and it could not be named back
    public void A_star_stands_for_subdomains_and_for_nothing_else(string origin, bool isAllowed) =>
        Assert.Equal(isAllowed, new PageOrigins(["https://*.shop.example", "https://other.example"]).Allows(origin));
}
