// A PostgreSQL for tests: a real server in a folder and on a port of its own.

using System.Globalization;
using System.Runtime.InteropServices;

namespace Estat.Testing;

/// <summary>
/// One cluster with fsync on, made by initdb. It ends at dispose, or with the test process. <see cref="StopAsync"/> and <see cref="StartAgainAsync"/>
/// keep folder and port.
/// </summary>
public sealed partial class PostgresServer : IAsyncDisposable
{
    private const string EnsureScript = "scripts/ensure-postgres.sh";
    private const string User = "postgres";
    private const int SigInt = 2;
    private const int SigKill = 9;
    private const int SigCont = 18;
    private const int SigStop = 19;
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder = new();
    private readonly string[] _settings;
    private ChildProcess? _process;
    private int _databases;

    private PostgresServer(string[] settings)
    {
        Port = FreePort.Next();
        _settings = settings;
    }

    /// <summary>Where it listens, as a port of 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>What it printed since its last start.</summary>
    public string Output => _process?.AllOutput ?? "";

    private string Folder => _folder["data"];

    /// <summary>Whether this machine has what it takes; if not, what to do.</summary>
    public static bool Available(out string reason)
    {
        reason = Binaries is not null ? "" : $"no initdb and postgres in /usr/lib/postgresql or on PATH: {EnsureScript} installs them, or says how";
        return reason.Length == 0;
    }

    /// <summary>A tool of the server's own version, such as psql.</summary>
    public static string Tool(string name) => Path.Combine(Binaries ?? "", name);

    /// <summary>Makes a cluster and starts it, in about a second.</summary>
    /// <param name="settings">Settings besides, each as <c>name=value</c>.</param>
    /// <exception cref="InvalidOperationException">It ended instead; the message holds what it printed.</exception>
    public static async Task<PostgresServer> StartAsync(params string[] settings)
    {
        var server = new PostgresServer(settings);
        try
        {
            await server.InitializeAsync();
            await server.StartAgainAsync();
            return server;
        }
        catch
        {
            await server.DisposeAsync();
            throw;
        }
    }

    /// <summary>Npgsql's connection string of a database.</summary>
    /// <param name="database">Its name.</param>
    /// <param name="port">A proxy's port instead of the server's.</param>
    public string ConnectionString(string database, int? port = null) => string.Create(
        CultureInfo.InvariantCulture, $"Host=127.0.0.1;Port={port ?? Port};Username={User};Database={database};Pooling=false;Timeout=15");

    /// <summary>Makes an empty database.</summary>
    /// <returns>Its name.</returns>
    public async Task<string> CreateDatabaseAsync()
    {
        var name = string.Create(CultureInfo.InvariantCulture, $"test{Interlocked.Increment(ref _databases)}");
        await QueryAsync("postgres", $"CREATE DATABASE {name}");
        return name;
    }

    /// <summary>Runs SQL by psql and gives what it printed: rows by line, columns by |.</summary>
    public Task<string> QueryAsync(string database, string sql) => Command.SucceedAsync(
        Limit, Tool("psql"), "-h", "127.0.0.1", "-p", Port.ToString(CultureInfo.InvariantCulture), "-U", User, "-d", database, "-X", "-q", "-A", "-t",
        "-v", "ON_ERROR_STOP=1", "-c", sql);

    /// <summary>Shuts it down as an operator does: sessions are ended, nothing is lost.</summary>
    public async Task StopAsync()
    {
        var process = Running();
        process.Signal(SigInt);
        await process.WaitForExitAsync(Limit);
        await process.DisposeAsync();
        _process = null;
    }

    /// <summary>SIGKILL of the server and all its sessions.</summary>
    public async Task KillAsync()
    {
        var process = Running();
        var all = Tree(process.Id);
        Signal(all, SigKill);
        await process.WaitForExitAsync(Limit);
        await process.DisposeAsync();
        _process = null;
        await Wait.UntilAsync(() => all.TrueForAll(id => !Directory.Exists($"/proc/{id}")), Limit, "the killed server's processes to be gone");
    }

    /// <summary>Starts it again with its folder and port, after <see cref="StopAsync"/> or <see cref="KillAsync"/>.</summary>
    public async Task StartAgainAsync()
    {
        _process = ChildProcess.Launch(
            "postgres",
            [
                .. AsUser("setpriv", "--pdeathsig", "KILL"), Tool("postgres"), "-D", Folder,
                .. new[]
                {
                    string.Create(CultureInfo.InvariantCulture, $"port={Port}"), "listen_addresses=127.0.0.1", "unix_socket_directories=", "fsync=on",
                }.Concat(_settings).SelectMany(setting => new[] { "-c", setting }),
            ],
            new Dictionary<string, string> { ["LC_ALL"] = "C.UTF-8" });
        await Wait.UntilAsync(
            () =>
            {
                _process.ThrowIfEnded("it took connections");
                return _process.Output.Any(line => line.Contains("ready to accept connections", StringComparison.Ordinal));
            },
            Limit,
            "postgres to take connections",
            () => _process.AllOutput);
    }

    /// <summary>Lets the server and its sessions stand still.</summary>
    public void Suspend() => Signal(Tree(Running().Id), SigStop);

    /// <summary>Lets them go on after <see cref="Suspend"/>.</summary>
    public void Resume() => Signal(Tree(Running().Id), SigCont);

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            await KillAsync();
        }

        _folder.Dispose();
    }

    private static string? Binaries { get; } = FindBinaries();

    private static string? FindBinaries()
    {
        var installed = Directory.Exists("/usr/lib/postgresql")
            ? Directory.GetDirectories("/usr/lib/postgresql").OrderByDescending(Version).Select(folder => Path.Combine(folder, "bin"))
            : [];
        return installed
            .Concat((Environment.GetEnvironmentVariable("PATH") ?? "").Split(Path.PathSeparator, StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(folder => File.Exists(Path.Combine(folder, "initdb")) && File.Exists(Path.Combine(folder, "postgres")));
    }

    private static int Version(string folder) =>
        int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var version) ? version : 0;

    // The server refuses to run as root. Before a program of another user: a death signal does not survive the change of user.
    private static string[] AsUser(params string[] more) => Environment.IsPrivilegedProcess
        ? ["setpriv", "--reuid", User, "--regid", User, "--init-groups", "env", "-C", "/", .. more]
        : more;

    private async Task InitializeAsync()
    {
        Directory.CreateDirectory(Folder);
        if (Environment.IsPrivilegedProcess)
        {
            await Command.SucceedAsync(Limit, "chmod", "755", _folder.Path);
            await Command.SucceedAsync(Limit, "chown", User, Folder);
        }

        string[] command = [.. AsUser(), Tool("initdb"), "-D", Folder, "-U", User, "-A", "trust", "-E", "UTF8", "--locale", "C.UTF-8", "--no-sync"];
        await Command.SucceedAsync(Limit, command[0], command[1..]);
    }

    private ChildProcess Running() => _process ?? throw new InvalidOperationException("the server does not run");

    // Sessions are children of the server; they have no children.
    private static List<int> Tree(int root)
    {
        List<int> all = [root];
        var text = root.ToString(CultureInfo.InvariantCulture);
        foreach (var folder in Directory.GetDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out var id) && ParentOf(id) == text)
            {
                all.Add(id);
            }
        }

        return all;
    }

    private static string? ParentOf(int id)
    {
        try
        {
            var stat = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1];
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return null;
        }
    }

    private static void Signal(List<int> processes, int signal) => processes.ForEach(id => _ = SendSignal(id, signal));

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int SendSignal(int process, int signal);
}
