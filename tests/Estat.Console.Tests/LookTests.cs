// Sizes, themes, languages and hands: for whom the console works.
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

/// <summary>One server with an object, a file in the DLQ and one in quarantine, so that every pane has something to show.</summary>
public sealed class FullServer : IAsyncLifetime
{
    internal ConsoleServer Server { get; private set; } = null!;

    public async ValueTask InitializeAsync()
    {
        Server = await ConsoleServer.StartAsync(
            new Dictionary<string, string> { ["RECOVERY_INTERVAL"] = "1h", ["FLUSH_INTERVAL"] = "200ms" },
            before =>
            {
                byte[] payload = EarlierDlq.Gzip(["""{"ts":1,"ip":"192.0.2.1","user_agent":"x","body":"y"}"""]);
                EarlierDlq.Put(before.DlqDir, "1700000000_0123456789abcdef0123456789abcdef-1_1", $"an error with a {new string('w', 200)}", payload,
                    events: 1);
                EarlierDlq.Put(before.DlqDir, "1700000000_0123456789abcdef0123456789abcdef-1_2", "x", [1, 2, 3], events: 1);
            });
        await Server.QuarantineAsync("1700000000_0123456789abcdef0123456789abcdef-1_2");
        await Server.SendAsync($$"""{"page":"/a","long":"{{new string('n', 500)}}"}""");
    }

    public ValueTask DisposeAsync() => Server.DisposeAsync();
}

public sealed class LookTests(Chromium chromium, FullServer full) : IClassFixture<FullServer>
{
    private static readonly string[] Panes = ["overview", "tail", "objects", "dlq", "quarantine"];

    [Theory]
    [InlineData("en-US")]
    [InlineData("ko-KR")]
    public Task On_a_phone_of_360_px_no_pane_is_wider_than_the_screen(string locale) => chromium.VisitAsync(
        full.Server.Address,
        async visit =>
        {
            foreach (string pane in Panes)
            {
                await ShowAsync(visit, pane);
                Assert.Equal(360, await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
                foreach (string opened in await visit.Page.EvaluateAsync<string[]>("pane => [...document.querySelectorAll(`#${pane} tbody "
                    + "tr:first-child button`)].map((_, i) => String(i))", pane))
                {
                    ILocator button = visit.Find($"#{pane} tbody tr:first-child button").Nth(int.Parse(opened));
                    if (await button.GetAttributeAsync("aria-label") is { } label
                        && (label.StartsWith("Retry", StringComparison.Ordinal) || label.Contains("재시도", StringComparison.Ordinal)))
                    {
                        continue;
                    }

                    await button.ClickAsync();
                    await Expecting(visit.Find("dialog .lines, dialog .lines p").First).ToBeVisibleAsync();
                    Assert.Equal(360, await visit.Page.EvaluateAsync<int>("() => document.documentElement.scrollWidth"));
                    Assert.True(await visit.Page.EvaluateAsync<bool>("() => document.querySelector('dialog').scrollWidth <= "
                        + "document.querySelector('dialog').clientWidth"));
                    await visit.Page.Keyboard.PressAsync("Escape");
                }
            }
        },
        new() { ViewportSize = new() { Width = 360, Height = 720 }, Locale = locale, HasTouch = true, IsMobile = true });

    [Fact]
    public Task It_speaks_the_language_that_the_browser_asks_for_and_the_one_that_is_chosen() => chromium.VisitAsync(
        full.Server.Address,
        async visit =>
        {
            await Expecting(visit.Find("html")).ToHaveAttributeAsync("lang", "ko");
            await Expecting(visit.Find("#verdict")).ToContainTextAsync("합이 맞습니다");
            foreach (string pane in Panes)
            {
                await ShowAsync(visit, pane);
                // What is a word for us and not theirs: units and names aside, nothing reads English.
                string text = await visit.Find($"#{pane}").InnerTextAsync();
                Assert.DoesNotMatch("(?i)\\b(events|stored|since|waits|preview|retry|discard|start|size|last|nothing|this)\\b",
                    text.Replace("an error with a", "", StringComparison.Ordinal));
            }

            await visit.Button("English").ClickAsync();
            await Expecting(visit.Find("html")).ToHaveAttributeAsync("lang", "en");
            await visit.Page.ReloadAsync();
            await Expecting(visit.Find("#quarantine h1")).ToHaveTextAsync("Quarantine");
        },
        new() { Locale = "ko-KR" });

    [Fact]
    public Task Its_theme_is_the_systems_or_the_one_that_is_chosen() => chromium.VisitAsync(
        full.Server.Address,
        async visit =>
        {
            const string Ground = "() => getComputedStyle(document.body).backgroundColor";
            Assert.Equal("rgb(15, 20, 25)", await visit.Page.EvaluateAsync<string>(Ground));
            await visit.Button("Theme: system").ClickAsync();
            await Expecting(visit.Find("#theme")).ToHaveTextAsync("Theme: light");
            Assert.Equal("rgb(245, 246, 248)", await visit.Page.EvaluateAsync<string>(Ground));
            await visit.Page.ReloadAsync();
            Assert.Equal("rgb(245, 246, 248)", await visit.Page.EvaluateAsync<string>(Ground));
        },
        new() { ColorScheme = ColorScheme.Dark });

    [Theory]
    [InlineData(ColorScheme.Light)]
    [InlineData(ColorScheme.Dark)]
    public Task Its_text_can_be_read(ColorScheme scheme) => chromium.VisitAsync(
        full.Server.Address,
        async visit =>
        {
            foreach (string pane in Panes)
            {
                await ShowAsync(visit, pane);
                // Every text against what is painted behind it: WCAG's 4.5, or 3 for what is large or cannot be used now.
                string[] weak = await visit.Page.EvaluateAsync<string[]>(
                    """
                    () => {
                      const parse = c => { const m = c.match(/[\d.]+/g).map(Number); return { rgb: m.slice(0, 3), a: m[3] ?? 1 }; };
                      const light = rgb => { const [r, g, b] = rgb.map(v => (v /= 255) <= 0.03928 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
                      const behind = e => { for (; e; e = e.parentElement) { const c = parse(getComputedStyle(e).backgroundColor); if (c.a === 1) return c.rgb; } return [255, 255, 255]; };
                      const weak = [];
                      const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
                      while (walker.nextNode()) {
                        const e = walker.currentNode.parentElement;
                        if (!walker.currentNode.data.trim() || !e.checkVisibility() || e.closest('.visually-hidden, .skip, script, noscript, :disabled')) continue;
                        const style = getComputedStyle(e), a = light(parse(style.color).rgb), b = light(behind(e));
                        const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
                        if (ratio < (parseFloat(style.fontSize) >= 24 ? 3 : 4.5)) weak.push(`${ratio.toFixed(2)} ${e.tagName}.${e.className}: ${walker.currentNode.data.slice(0, 40)}`);
                      }
                      return weak;
                    }
                    """);
                Assert.Empty(weak);
            }
        },
        new() { ColorScheme = scheme, ReducedMotion = ReducedMotion.Reduce });

    [Fact]
    public Task Everything_has_a_name_for_who_does_not_see_it() => chromium.VisitAsync(full.Server.Address, async visit =>
    {
        foreach (string pane in Panes)
        {
            await ShowAsync(visit, pane);
            string[] faults = await visit.Page.EvaluateAsync<string[]>(
                """
                () => {
                  const shown = selector => [...document.querySelectorAll(selector)].filter(e => e.checkVisibility());
                  const name = e => e.getAttribute('aria-label') || e.labels?.[0]?.textContent.trim() || e.textContent.trim() || e.getAttribute('alt');
                  const faults = shown('button, a, input, select, [role=img], [role=log]').filter(e => !name(e)).map(e => `nameless: ${e.outerHTML.slice(0, 120)}`);
                  for (const t of shown('table')) if (!t.caption?.textContent.trim()) faults.push('a table without a caption');
                  if (shown('h1').length !== 1) faults.push(`${shown('h1').length} h1`);
                  const ids = [...document.querySelectorAll('[id]')].map(e => e.id);
                  for (const id of ids) if (ids.indexOf(id) !== ids.lastIndexOf(id)) faults.push(`twice: ${id}`);
                  if (!document.documentElement.lang) faults.push('no language');
                  return faults;
                }
                """);
            Assert.Empty(faults);
        }
    });

    [Fact]
    public Task It_works_by_keyboard_alone() => chromium.VisitAsync(full.Server.Address, async visit =>
    {
        IKeyboard keys = visit.Page.Keyboard;
        await Expecting(visit.Find("#connection")).ToHaveTextAsync("Live");
        await keys.PressAsync("Tab");
        await Expecting(visit.Find("#skip")).ToBeFocusedAsync();
        Assert.True(await visit.Page.EvaluateAsync<bool>("() => document.getElementById('skip').getBoundingClientRect().top >= 0"));
        await keys.PressAsync("Enter");
        await Expecting(visit.Find("#content")).ToBeFocusedAsync();

        await keys.PressAsync("?");
        await Expecting(visit.Find("dialog")).ToContainTextAsync("Start or pause the live tail");
        await keys.PressAsync("Escape");
        await Expecting(visit.Find("dialog")).ToHaveCountAsync(0);

        for (int number = 0; number < Panes.Length; number++)
        {
            await keys.PressAsync($"{number + 1}");
            await Expecting(visit.Find($"#{Panes[number]}")).ToBeVisibleAsync();
        }

        await keys.PressAsync("/");
        await Expecting(visit.Find("#tail-contains")).ToBeFocusedAsync();
        await keys.TypeAsync("1?t");
        await Expecting(visit.Find("#tail-contains")).ToHaveValueAsync("1?t");

        // To the DLQ's discard and back, and through the whole page: Tab reaches everything, holds nothing, and shows where it is.
        await visit.Find("#skip").FocusAsync();
        await keys.PressAsync("4");
        await Expecting(visit.Find("#dlq tbody tr")).ToHaveCountAsync(1);
        await visit.Find("#skip").FocusAsync();
        var reached = new List<string>();
        for (int tab = 0; tab < 40; tab++)
        {
            string focused = await visit.Page.EvaluateAsync<string>(
                "() => { const e = document.activeElement; return e === document.body ? 'body' : `${getComputedStyle(e).outlineStyle !== 'none'} "
                    + "${e.id || e.getAttribute('aria-label') || e.textContent}`; }");
            if (focused == "body" || (reached.Count > 0 && focused == reached[0]))
            {
                break;
            }

            reached.Add(focused);
            await keys.PressAsync("Tab");
        }

        Assert.InRange(reached.Count, 12, 39);
        Assert.All(reached, focused => Assert.StartsWith("true ", focused, StringComparison.Ordinal));
        Assert.Contains(reached, focused => focused.Contains("Discard 17", StringComparison.Ordinal));
        Assert.Equal(reached.Distinct().Count(), reached.Count);

        await visit.Page.GetByLabel("Discard 17").FocusAsync();
        await keys.PressAsync("Enter");
        await Expecting(visit.Find("dialog")).ToContainTextAsync("for good");
        for (int tab = 0; tab < 12; tab++)
        {
            await keys.PressAsync("Tab");
            Assert.True(await visit.Page.EvaluateAsync<bool>("() => document.activeElement === document.body || "
                + "Boolean(document.activeElement.closest('dialog'))"));
        }

        await keys.PressAsync("Escape");
        await Expecting(visit.Page.GetByLabel("Discard 17")).ToBeFocusedAsync();
    });

    // A pane is shown once its list has come.
    private static async Task ShowAsync(Visit visit, string pane)
    {
        await visit.GoAsync(pane);
        await Expecting(visit.Find(pane switch { "overview" => "#verdict.good", "tail" => "#tail-status", _ => $"#{pane} tbody tr" }).First)
            .ToBeVisibleAsync();
    }
}
