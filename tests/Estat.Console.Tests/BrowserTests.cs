// The browser of these tests: Debian's Chromium, driven by Playwright.
using Microsoft.Playwright;

namespace Estat.Console.Tests;

public sealed class BrowserTests
{
    [Fact]
    public async Task It_starts()
    {
        Assert.SkipUnless(File.Exists("/usr/bin/chromium"), "chromium is not installed; to have it: apt-get install chromium");
        using IPlaywright playwright = await Playwright.CreateAsync();
        await using IBrowser browser = await playwright.Chromium.LaunchAsync(new() { ExecutablePath = "/usr/bin/chromium", Args = ["--no-sandbox"] });
        IPage page = await browser.NewPageAsync();
        await page.SetContentAsync("<p>hello");
        Assert.Equal("hello", await page.InnerTextAsync("p"));
    }
}
