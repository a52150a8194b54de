// Silos of one cluster write to one place, by one clock: who differs is refused, on both sides with one line.
using System.Net;
using Estat.Api.Options;
using Estat.Base.Acks;
using Estat.Base.Options;
using Estat.Cluster.Tests.Support;
using Estat.Collect.Options;
using Estat.Grains.Hosting;
using Estat.Http.Options;
using Estat.Silo.Clustering;
using Estat.Silo.Replication;
using Microsoft.Extensions.DependencyInjection;

namespace Estat.Cluster.Tests.Joining;

public sealed class JoinTests : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(60);
    private readonly TempFolder _folder = new();

    [Theory]
    [InlineData(ClusteringKind.Localhost)]
    [InlineData(ClusteringKind.Redis)]
    public async Task A_silo_that_differs_from_the_members_ends_its_start_with_a_line_that_names_the_difference_and_is_no_partner(
        ClusteringKind clustering)
    {
        await using RedisServer? redis = await MembershipAsync(clustering);
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1", cluster => Quick(cluster, redis));
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        EstatOptions same = RunningSilo.OptionsIn(_folder, "silo-2", cluster => Quick(cluster, redis) with { SeedAddr = first.Cluster.SiloAddr });
        (string Setting, EstatOptions Options)[] others =
        [
            ("storage", same with { Collect = same.Collect with { Storage = same.Collect.Storage with { StorageDir = _folder["elsewhere"] } } }),
            ("RAW_PREFIX", same with { Collect = same.Collect with { Storage = same.Collect.Storage with { RawPrefix = "elsewhere" } } }),
        ];
        foreach ((string setting, EstatOptions other) in others)
        {
            string refusal = await RefusedSilo.RunAsync(other);

            Assert.Contains($"may not join cluster {first.Cluster.ClusterId}: {setting} is ", refusal, StringComparison.Ordinal);
            Assert.Contains(" here and ", refusal, StringComparison.Ordinal);
            Assert.True(one.Server.Services.GetRequiredService<ReplicaPeers>().IsAlone, "it was no partner");
        }

        await using RunningSilo two = await RunningSilo.StartAsync(same);
        await Wait.UntilAsync(
            () => !one.Server.Services.GetRequiredService<ReplicaPeers>().IsAlone, Limit, "a silo that does not differ to be a partner");
    }

    [Theory]
    [InlineData(ClusteringKind.Localhost, "the clock reads", "Set the clock that is wrong")] // asks the members
    [InlineData(ClusteringKind.Redis, "this machine's clock reads", "Set it (NTP)")] // reads the table
    public async Task A_silo_whose_clock_is_a_day_behind_says_so_and_does_not_start(ClusteringKind clustering, string what, string advice)
    {
        Assert.SkipUnless(FakeClock.Available(out string reason), reason);
        using var clock = new FakeClock();
        clock.Set(TimeSpan.FromDays(-1));
        await using RedisServer? redis = await MembershipAsync(clustering);
        EstatOptions first = RunningSilo.OptionsIn(_folder, "silo-1", cluster => Unhurried(Quick(cluster, redis)));
        await using RunningSilo one = await RunningSilo.StartAsync(first);
        EstatOptions second = RunningSilo.OptionsIn(
            _folder, "silo-2", cluster => Unhurried(Quick(cluster, redis)) with { SeedAddr = first.Cluster.SiloAddr });

        string refusal = await RefusedSilo.RunAsync(second, clock);

        string yesterday = DateTime.UtcNow.AddDays(-1).ToString("yyyy-MM-dd", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Contains($"{what} {yesterday}", refusal, StringComparison.Ordinal);
        Assert.Contains(advice, refusal, StringComparison.Ordinal);
        await using RunningSilo two = await RunningSilo.StartAsync(second, new ClockOff(TimeSpan.FromMinutes(-1)));
    }

    [Fact]
    public void Store_prefixes_and_what_an_answer_means_are_compared()
    {
        var one = new EstatOptions
        {
            Collect = new() { Storage = new() { RawBucket = "events", S3Endpoint = new Uri("http://127.0.0.1:9000") } },
        };
        EstatOptions[] others =
        [
            one with { Collect = one.Collect with { Storage = one.Collect.Storage with { RawBucket = "other" } } },
            one with { Collect = one.Collect with { Storage = one.Collect.Storage with { S3Endpoint = new Uri("http://127.0.0.1:9001") } } },
            one with { Collect = one.Collect with { Storage = one.Collect.Storage with { RawBucket = null } } },
            one with { Collect = one.Collect with { Storage = one.Collect.Storage with { RawPrefix = "x" } } },
            one with { Collect = one.Collect with { Storage = one.Collect.Storage with { DlqPrefix = "x" } } },
            one with { Collect = one.Collect with { Ack = AckLevel.Memory } },
            one with { Collect = one.Collect with { AckAllowed = [AckLevel.Disk] } },
            one with { Cluster = one.Cluster with { ReplicaDegraded = ReplicaDegradedPolicy.Disk } },
        ];
        var mine = new AgreedSettings(one.Collect, one.Cluster);
        Assert.All(others, other =>
            Assert.NotNull(mine.DifferenceFrom(AgreedSettings.Parse(new AgreedSettings(other.Collect, other.Cluster).Lines))));
        Assert.Null(mine.DifferenceFrom(
            AgreedSettings.Parse(new AgreedSettings(one.Collect with { SpoolDir = "x" }, one.Cluster with { Zone = "b" }).Lines)));
    }

    [Fact]
    public void What_only_one_side_knows_is_of_another_version_and_is_not_compared()
    {
        var mine = new AgreedSettings(new CollectOptions(), new ClusterOptions());
        Assert.Null(mine.DifferenceFrom(AgreedSettings.Parse([.. mine.Lines.Skip(1), "NEW=value=with=signs"])));
        Assert.Equal("RAW_PREFIX is raw here and raw=2 there", mine.DifferenceFrom(AgreedSettings.Parse(["RAW_PREFIX=raw=2"])));
    }

    [Fact]
    public void A_clock_that_is_behind_the_membership_table_ends_the_start_with_both_times()
    {
        DateTimeOffset now = new(2026, 11, 28, 12, 0, 0, TimeSpan.Zero);
        SiloAddress At(int port, int generation) => SiloAddress.New(IPAddress.Loopback, port, generation);
        MembershipEntry Row(SiloAddress silo, SiloStatus status, TimeSpan alive) =>
            new() { SiloAddress = silo, SiloName = "silo-9", Status = status, StartTime = now.UtcDateTime.AddDays(1),
                IAmAliveTime = now.UtcDateTime + alive };

        string later = Assert.Throws<OptionException>(
            () => TableClock.Check([Row(At(1, 101), SiloStatus.Active, TimeSpan.Zero)], At(1, 100), now)).Message;
        Assert.Contains("clock reads 2026-11-28 12:00:00 UTC, but the silo at 127.0.0.1:1 was started at 2026-11-29 12:00:00 UTC", later,
            StringComparison.Ordinal);
        string alive = Assert.Throws<OptionException>(
            () => TableClock.Check([Row(At(2, 5), SiloStatus.Active, TimeSpan.FromDays(1))], At(1, 100), now)).Message;
        Assert.Contains("silo silo-9 has shown a sign of life at 2026-11-29 12:00:00 UTC", alive, StringComparison.Ordinal);

        TableClock.Check(
            [Row(At(1, 101), SiloStatus.Dead, TimeSpan.FromDays(1)), Row(At(1, 99), SiloStatus.Active, TimeSpan.Zero),
                Row(At(2, 999), SiloStatus.Active, TimeSpan.FromMinutes(1))],
            At(1, 100), now);
    }

    public void Dispose() => _folder.Dispose();

    private static async Task<RedisServer?> MembershipAsync(ClusteringKind clustering)
    {
        if (clustering == ClusteringKind.Localhost)
        {
            return null;
        }

        Assert.SkipUnless(RedisServer.Available(out string reason), reason);
        return await RedisServer.StartAsync();
    }

    private static ClusterOptions Quick(ClusterOptions cluster, RedisServer? redis) => cluster with
    {
        MembershipProbe = TimeSpan.FromSeconds(1),
        Clustering = redis is null ? ClusteringKind.Localhost : ClusteringKind.Redis,
        Redis = new RedisOptions { Endpoints = redis is null ? [] : [redis.Endpoint] },
    };

    private sealed class ClockOff(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => base.GetUtcNow() + by;
    }

    // The member looks at the table seldom: on a busy machine it could declare the other one dead, for its old signs of life, before that has asked.
    private static ClusterOptions Unhurried(ClusterOptions cluster) => cluster with { MembershipProbe = TimeSpan.FromSeconds(5) };
}
