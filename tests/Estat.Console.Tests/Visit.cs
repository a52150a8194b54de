// One page of the browser, watched: what went wrong on it, and whom it asked.
using System.Collections.Concurrent;
using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Estat.Console.Tests;

/// <summary>A page that shows the console of a server.</summary>
internal sealed partial class Visit
{
    private readonly ConcurrentQueue<string> _complaints = new();
    private readonly List<Func<string, bool>> _expected = [];

    internal Visit(IPage page, Uri server)
    {
        Page = page;
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning")
            {
                _complaints.Enqueue($"console: {message.Text} ({message.Location})");
            }
        };
        page.PageError += (_, error) => _complaints.Enqueue($"error: {error}");
        page.Dialog += async (_, dialog) =>
        {
            _complaints.Enqueue($"dialog: {dialog.Message}");
            await dialog.DismissAsync();
        };
        page.Request += (_, request) =>
        {
            if (!request.Url.StartsWith(server.ToString(), StringComparison.Ordinal))
            {
                _complaints.Enqueue($"request to somebody else: {request.Url}");
            }
        };
    }

    /// <summary>The page.</summary>
    internal IPage Page { get; }

    /// <summary>What the browser said, and a visit must not make it say: errors, refusals of the policy, dialogs, requests to other hosts.</summary>
    internal IReadOnlyList<string> Complaints => [.. _complaints.Where(complaint => !_expected.Any(expects => expects(complaint)))];

    /// <summary>A complaint that belongs to what the test does, such as that of a server that is away.</summary>
    internal void Expect(string part) => _expected.Add(complaint => complaint.Contains(part, StringComparison.Ordinal));

    internal ILocator Find(string selector) => Page.Locator(selector);

    internal ILocator Find(string selector, string text) => Page.Locator(selector, new() { HasText = text });

    internal ILocator Button(string name) => Page.GetByRole(AriaRole.Button, new() { Name = name, Exact = true });

    /// <summary>Opens a pane by its link, as a reader does.</summary>
    internal Task GoAsync(string pane) => Find($"nav.panes a[href='#{pane}']").ClickAsync();

    internal static ILocatorAssertions Expecting(ILocator locator) => Assertions.Expect(locator);

    /// <summary>The conservation line as it stands on the page at one moment.</summary>
    internal async Task<Ledger> LedgerAsync()
    {
        string[] texts = await Page.EvaluateAsync<string[]>(
            "() => [...document.querySelectorAll('#ledger [data-place]')].map(b => `${b.dataset.place} "
                + "${b.textContent}`).concat(document.getElementById('verdict').className)");
        Dictionary<string, long> places = texts[..^1].Select(text => text.Split(' '))
            .ToDictionary(pair => pair[0], pair => long.Parse(NoDigit().Replace(pair[1], "")));
        return new Ledger(places, texts[^1].Contains("good", StringComparison.Ordinal));
    }

    [GeneratedRegex("[^0-9]")]
    private static partial Regex NoDigit();

    /// <summary>What the page says of where events are, and whether it says that this adds up.</summary>
    internal sealed record Ledger(IReadOnlyDictionary<string, long> Places, bool SaysThatItHolds)
    {
        internal long this[string place] => Places[place];

        /// <summary>Whether what stands there does add up.</summary>
        internal bool Holds =>
            this["accepted"] + this["found"] == new[] { "stored", "buffered", "spooled", "dlq", "quarantined", "dropped" }.Sum(place => this[place]);
    }
}
