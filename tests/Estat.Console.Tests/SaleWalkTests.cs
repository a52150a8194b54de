// Somebody's first sale, with the very lines of the documentation: a page that no longer tells what happens fails here.
using Estat.Testing;
using Microsoft.Playwright;
using static Estat.Console.Tests.Visit;

namespace Estat.Console.Tests;

/// <summary>The commands are typed into bash, and the console's pane is watched beside them without a reload.</summary>
public sealed class SaleWalkTests(Chromium chromium)
{
    private const string Bob = "bob";

    [Fact]
    public async Task The_first_sale_of_the_docs_is_decided_watched_searched_and_found_in_the_lake()
    {
        var docs = DocConsole.Read("docs/requests.md", "A first sale");
        using var folder = new TempFolder();
        await using ConsoleServer server = await StartAsync(docs.MakeRun(), folder);
        await chromium.VisitAsync(
            server.Address,
            async console =>
            {
                await Expecting(console.Find("#campaigns .empty").First).ToContainTextAsync("No campaign yet");
                await console.Page.EvaluateAsync("() => { window.loadedOnce = true; }");

                // The operator makes the campaign; it appears.
                await docs.NextAsync("curl -X PUT", server.Address, folder.Path);
                ILocator row = console.Find("#campaigns-list tbody tr");
                await Expecting(Cell(row, "Places taken")).ToHaveTextAsync("0 of 1");

                // Ann waits for her decision: 200. Bob does not: 202, and he looks later.
                await docs.NextAsync("curl -i -H 'X-User-Id: ann' -H 'Prefer: wait=5'", server.Address, folder.Path);
                await Expecting(Cell(row, "Places taken")).ToHaveTextAsync("1 of 1");
                string accepted = await docs.NextAsync($"curl -i -X POST -H 'X-User-Id: {Bob}'", server.Address, folder.Path);
                Assert.Contains("202 Accepted", accepted, StringComparison.Ordinal);
                await Expecting(Cell(row, "Rejected")).ToHaveTextAsync("1");
                await Expecting(Cell(row, "Undecided")).ToHaveTextAsync("0");
                string state = await docs.NextAsync($"curl -H 'X-User-Id: {Bob}'", server.Address, folder.Path);
                Assert.Contains("REJECTED", state, StringComparison.Ordinal);

                // The operator finds Bob's request by his name, in the same state.
                await console.Find("#requests-user").FillAsync(Bob);
                await console.Find("#requests-user").PressAsync("Enter");
                ILocator found = console.Find("#requests tbody tr");
                await Expecting(found).ToHaveCountAsync(1);
                await Expecting(found).ToContainTextAsync("REJECTED");
                await Expecting(Cell(found, "Reason")).ToHaveTextAsync("full");

                // Both are in the export, and both outcomes in the lake's folder.
                await docs.NextAsync("curl http", server.Address, folder.Path);
                await docs.NextAsync("find data", server.Address, folder.Path);
                Assert.True(docs.IsDone);
                Assert.True(await console.Page.EvaluateAsync<bool>("() => window.loadedOnce === true"));
            },
            path: "/console#campaigns");
    }

    [Fact]
    public async Task The_lines_of_README_give_Ann_a_place()
    {
        var readme = DocConsole.Read("README.md", "Requests");
        using var folder = new TempFolder();
        await using ConsoleServer server = await StartAsync(readme.MakeRun(), folder);
        await readme.NextAsync("curl -X PUT", server.Address, folder.Path);
        Assert.Contains("SUCCEEDED", await readme.NextAsync("curl -X POST", server.Address, folder.Path), StringComparison.Ordinal);
        Assert.True(readme.IsDone);
    }

    // Its folders are where a server has them that was started in this one.
    private static Task<ConsoleServer> StartAsync(Dictionary<string, string> options, TempFolder folder)
    {
        options["STORAGE_DIR"] = folder["data"];
        options["REQUESTS_DIR"] = folder["var/requests"];
        return ConsoleServer.StartAsync(options);
    }

    private static ILocator Cell(ILocator row, string label) => row.Locator($"td[data-label='{label}']");
}
