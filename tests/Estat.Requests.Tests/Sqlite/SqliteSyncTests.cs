// A 202 means that the request is on the disk: seen from outside, by strace, and by what SQLite says of itself.
using System.Text.RegularExpressions;
using Estat.Requests.Sqlite;
using Microsoft.Data.Sqlite;

namespace Estat.Requests.Tests.Sqlite;

public sealed partial class SqliteSyncTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public void The_writer_s_connection_syncs_its_log_at_every_commit()
    {
        using var folder = new TempFolder();
        Directory.CreateDirectory(folder["requests"]);
        using SqliteConnection connection = Database.OpenWriter(folder["requests"]);

        Assert.Equal("2", Database.Ask(connection, "PRAGMA synchronous"));
        Assert.Equal("wal", Database.Ask(connection, "PRAGMA journal_mode"));
    }

    [Fact]
    public async Task Between_a_request_s_arrival_and_its_202_the_log_is_synced()
    {
        Assert.SkipUnless(Command.Exists("strace"), "strace is not installed");
        using var folder = new TempFolder();
        await using ServerProcess server = await RequestsServer.StartAsync(folder);
        await RequestsServer.PutCampaignAsync(server.Client, "sale", "\"policy\":\"first-come\",\"capacity\":5");
        await RequestsServer.PostAsync(server.Client, "sale", "warm-up");

        string trace = folder["trace"];
        await using (ChildProcess strace = ChildProcess.Launch(
            "strace", ["strace", "-f", "-e", "trace=fsync,fdatasync,sendto,sendmsg,write", "-s", "32", "-o", trace, "-p", $"{server.Id}"],
            new Dictionary<string, string>()))
        {
            await Wait.UntilAsync(() => strace.AllOutput.Contains("attached", StringComparison.Ordinal), Patience, "strace to attach");
            await RequestsServer.PostAsync(server.Client, "sale", "ann");
            await Wait.UntilAsync(
                () => File.Exists(trace) && ReadShared(trace).Contains("HTTP/1.1 202", StringComparison.Ordinal), Patience, "the 202 in the trace");
        }

        string[] lines = ReadShared(trace).Split('\n');
        int answer = Array.FindIndex(lines, line => line.Contains("HTTP/1.1 202", StringComparison.Ordinal));
        Assert.True(
            Array.FindIndex(lines, line => Sync().IsMatch(line)) is var sync && sync >= 0 && sync < answer,
            $"no sync before the 202:\n{string.Join('\n', lines)}");
    }

    private static string ReadShared(string path)
    {
        using var stream = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.ReadWrite);
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd();
    }

    [GeneratedRegex(@"\b(fsync|fdatasync)\(\d+\) += 0|<\.\.\. (fsync|fdatasync) resumed>.* = 0")]
    private static partial Regex Sync();
}
