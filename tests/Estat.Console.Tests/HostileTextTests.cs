// Events are written by strangers; the console shows them to whoever may discard.
using System.Text.Json;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

public sealed class HostileTextTests(Chromium chromium)
{
    // What the console itself makes where it shows what came from outside.
    private const string Own = "details,summary,time,span,bdi,code,div,dl,dt,dd,pre,p,tr,td,button,a.button,h2,header,footer,table,thead,tbody,th,caption,dialog";

    [Fact]
    public async Task Bodies_agents_and_ids_are_text_in_the_tail_and_in_a_preview()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(new Dictionary<string, string> { ["FLUSH_INTERVAL"] = "3s" });
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await visit.Find("#tail-rate").SelectOptionAsync("100");
                await Expecting(visit.Find("#tail-status")).ToContainTextAsync("seen,");
                foreach (string text in HostileTexts.All)
                {
                    await server.SendAsync(text);
                }

                foreach (string text in HostileTexts.ForHeaders)
                {
                    await server.SendAsync("in a header", text, text);
                }

                int sent = HostileTexts.All.Count + HostileTexts.ForHeaders.Count();
                await Expecting(visit.Find("#tail-lines .line")).ToHaveCountAsync(sent);
                await OpenAllAsync(visit, "#tail-lines");
                await AssertShowsAsync(visit, "#tail-lines");
                await AssertTextOnlyAsync(visit, "#tail-lines");

                await visit.GoAsync("objects");
                ILocator previews = visit.Find("#objects tbody button");
                await Expecting(previews.First).ToBeVisibleAsync();
                await previews.Last.ClickAsync();
                await Expecting(visit.Find("dialog .line").First).ToBeVisibleAsync();
                await OpenAllAsync(visit, "dialog");
                await AssertTextOnlyAsync(visit, "dialog");
            },
            path: "/console#tail");
    }

    [Fact]
    public async Task Reasons_keys_and_lines_are_text_in_DLQ_and_quarantine()
    {
        await using ConsoleServer server = await ConsoleServer.StartAsync(
            new Dictionary<string, string> { ["RECOVERY_INTERVAL"] = "1h" },
            before =>
            {
                int number = 0;
                string[] lines = [.. HostileTexts.All.Select(
                    text => JsonSerializer.Serialize(new { ts = 1, ip = text, user_agent = text, body = text }))];
                foreach (string text in HostileTexts.All)
                {
                    EarlierDlq.Put(before.DlqDir, $"1700000000_earlier-1_{++number}", text, EarlierDlq.Gzip(lines), lines.Length, key: $"raw/{text}");
                }

                // Not gzip: it goes to the quarantine, where its content is shown as far as it is text.
                EarlierDlq.Put(before.DlqDir, "1700000000_earlier-1_0", "x", System.Text.Encoding.UTF8.GetBytes(string.Join('\n', HostileTexts.All)),
                    events: 3);
            });
        await server.QuarantineAsync("1700000000_earlier-1_0");
        await chromium.VisitAsync(
            server.Address,
            async visit =>
            {
                await Expecting(visit.Find("#dlq tbody tr")).ToHaveCountAsync(HostileTexts.All.Count);
                await AssertTextOnlyAsync(visit, "#dlq .list");
                await Expecting(visit.Find("#dlq .list")).ToContainTextAsync("<script>alert(1);window.owned=1</script>");
                await visit.Find("#dlq tbody tr").First.GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("dialog .line").First).ToBeVisibleAsync();
                await OpenAllAsync(visit, "dialog");
                await AssertTextOnlyAsync(visit, "dialog");
                await visit.Page.Keyboard.PressAsync("Escape");

                await visit.GoAsync("quarantine");
                await Expecting(visit.Find("#quarantine tbody tr")).ToHaveCountAsync(1);
                await visit.Find("#quarantine tbody tr").GetByText("Inspect").ClickAsync();
                await Expecting(visit.Find("dialog .lines")).ToBeVisibleAsync();
                await OpenAllAsync(visit, "dialog");
                await AssertTextOnlyAsync(visit, "dialog");
            },
            path: "/console#dlq");
    }

    private static async Task OpenAllAsync(Visit visit, string inside) =>
        await visit.Page.EvaluateAsync("inside => { for (const d of document.querySelectorAll(`${inside} details`)) d.open = true; }", inside);

    // Each text stands there as it was sent, but for what cannot be seen, which stands there as its escape.
    private static async Task AssertShowsAsync(Visit visit, string inside)
    {
        string shown = await visit.Find(inside).InnerTextAsync();
        Assert.All(HostileTexts.All.Where(text => text.Length < 400 && text.All(c => c is >= ' ' and < '\x7f')),
            text => Assert.Contains(text, shown, StringComparison.Ordinal));
        Assert.Contains("\\u202egnp.txt\\u202c", shown, StringComparison.Ordinal);
    }

    private static async Task AssertTextOnlyAsync(Visit visit, string inside)
    {
        string[] strange = await visit.Page.EvaluateAsync<string[]>(
            """
            ([inside, own]) => {
              const root = document.querySelector(inside);
              const found = [...root.querySelectorAll('*')].filter(e => !e.matches(own)).map(e => e.outerHTML.slice(0, 200));
              for (const e of root.querySelectorAll('*')) for (const a of e.attributes) if (a.name.startsWith('on') || a.name === 'style' || /^javascript:/i.test(a.value)) found.push(`${e.tagName} ${a.name}`);
              if (document.querySelectorAll('script').length !== 3 || document.querySelectorAll('main').length !== 1) found.push('another script or main');
              if (window.owned || ({}).owned) found.push('owned');
              return found;
            }
            """,
            new[] { inside, Own });
        Assert.Empty(strange);
    }
}
