// The browser of these tests: Debian's Chromium, driven by Playwright. One for the assembly; every visit has a profile of its own.
using System.Runtime.CompilerServices;
using Estat.Testing;
using Microsoft.Playwright;

[assembly: AssemblyFixture(typeof(Estat.Console.Tests.Chromium))]

namespace Estat.Console.Tests;

/// <summary>Starts with the first test of the assembly.</summary>
public sealed class Chromium : IAsyncLifetime
{
    private const string Program = "/usr/bin/chromium";

    // On a machine that eight builds share, a page may take its time; a test that would fail waits this long once.
    private const float LimitMs = 30_000;

    private static readonly string[] RootArguments = ["--no-sandbox"];
    private IPlaywright? _playwright;
    private IBrowser? _browser;

    public async ValueTask InitializeAsync()
    {
        if (!File.Exists(Program))
        {
            return;
        }

        Assertions.SetDefaultExpectTimeout(LimitMs);
        _playwright = await Playwright.CreateAsync();
        // Chromium's sandbox does not take root.
        _browser = await _playwright.Chromium.LaunchAsync(
            new() { ExecutablePath = Program, Args = Environment.IsPrivilegedProcess ? RootArguments : [] });
    }

    public async ValueTask DisposeAsync()
    {
        if (_browser is not null)
        {
            await _browser.DisposeAsync();
        }

        _playwright?.Dispose();
    }

    /// <summary>
    /// Opens a server's console in a profile of its own. Whatever else the visit is about: the browser must have nothing to complain of, and ask
    /// nobody but the server. What it saw last is kept in <c>artifacts/console</c> if the visit fails.
    /// </summary>
    /// <param name="server">Where.</param>
    /// <param name="visit">What is done there.</param>
    /// <param name="options">Language, size, theme; by default English on a large light screen.</param>
    /// <param name="path">What is opened.</param>
    /// <param name="test">Names the picture.</param>
    internal async Task VisitAsync(
        Uri server, Func<Visit, Task> visit, BrowserNewContextOptions? options = null, string path = "/console", [CallerMemberName] string test = "")
    {
        Assert.SkipWhen(_browser is null, "chromium is not installed; to have it: apt-get install --no-install-recommends chromium fonts-noto-cjk");
        options ??= new();
        options.Locale ??= "en-US";
        options.AcceptDownloads = true;
        await using IBrowserContext context = await _browser.NewContextAsync(options);
        context.SetDefaultTimeout(LimitMs);
        IPage page = await context.NewPageAsync();
        var watched = new Visit(page, server);
        try
        {
            await page.GotoAsync(new Uri(server, path).ToString());
            await visit(watched);
        }
        catch
        {
            await page.ScreenshotAsync(new() { Path = Path.Combine(Repository.Root, "artifacts", "console", $"{test}.png"), FullPage = true });
            throw;
        }

        Assert.True(watched.Complaints.Count == 0, string.Join(Environment.NewLine, watched.Complaints));
    }
}
