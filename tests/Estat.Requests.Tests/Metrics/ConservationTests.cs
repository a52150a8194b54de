// Nothing disappears: in every scrape what was accepted is somewhere, also while requests arrive (docs/requests.md, promise 11).
using System.Globalization;
using System.Text.RegularExpressions;
using Estat.Base.Metrics;
using Estat.Base.Storage;
using Estat.Http.Metrics;
using Estat.Requests.Hosting;
using Estat.Requests.Metrics;
using Estat.Requests.Options;
using Microsoft.Extensions.Logging.Abstractions;

namespace Estat.Requests.Tests.Metrics;

public sealed partial class ConservationTests
{
    [Fact]
    public async Task Every_scrape_adds_up_while_requests_arrive_and_are_decided()
    {
        using var folder = new TempFolder();
        using var lake = new FolderObjectStore(folder["data"], TimeProvider.System);
        await using var engine = new RequestsEngine(
            new RequestsOptions { Dir = folder["requests"] }, lake, "raw", TimeProvider.System, NullLoggerFactory.Instance);
        engine.Start();
        using var instruments = new RequestInstruments(engine, new RequestCounters(), tokens: null, TimeProvider.System);
        using var metrics = new PrometheusText([instruments.Meter]);
        await engine.Store.PutCampaignAsync(
            "sale", new CampaignSettings { Policy = CampaignPolicy.FirstCome, OpensAt = DateTimeOffset.UtcNow.AddDays(-1), Capacity = 100 }, 0);

        using var ending = new CancellationTokenSource();
        Task[] users = [.. Enumerable.Range(0, 32).Select(number => Task.Run(() => EnterAsync(engine, number, ending.Token)))];
        long last = 0;
        for (int scrape = 0; scrape < 2_000 || last < 1_000; scrape++)
        {
            (last, long sum) = Read(metrics.Write());
            Assert.Equal(last, sum);
        }

        await ending.CancelAsync();
        await Task.WhenAll(users);
        Assert.Equal(Read(metrics.Write()).Accepted, engine.Store.FindCampaign("sale")!.Counts.Accepted);
    }

    private static async Task EnterAsync(RequestsEngine engine, int number, CancellationToken ending)
    {
        ReadOnlyMemory<byte> secret = engine.Store.FindCampaign("sale")!.Secret;
        for (int i = 0; !ending.IsCancellationRequested; i++)
        {
            UserId user = UserId.Of(string.Create(CultureInfo.InvariantCulture, $"user{number}.{i}"))!.Value;
            await engine.Store.AcceptAsync(new Submission("sale", RequestId.Of(secret.Span, "sale", user), user, default));
        }
    }

    private static (long Accepted, long Sum) Read(string page) => (
        Accepted().Matches(page).Sum(Number), Current().Matches(page).Sum(Number));

    private static long Number(Match match) => long.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"^estat_requests_accepted (\d+)", RegexOptions.Multiline)]
    private static partial Regex Accepted();

    [GeneratedRegex(@"^estat_requests_current\{[^}]*\} (\d+)", RegexOptions.Multiline)]
    private static partial Regex Current();
}
