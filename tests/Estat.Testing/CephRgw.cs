// A real S3 for tests: Ceph's RADOS gateway, started by scripts/ceph-rgw.sh in a temporary folder on ports of its own.

using System.Globalization;
using System.Net;
using Amazon.Runtime;
using Amazon.S3;
using Amazon.S3.Model;

namespace Estat.Testing;

/// <summary>
/// One gateway with one user. It ends, its folder included, at dispose, or half a second after the test process did.
/// </summary>
public sealed class CephRgw : IAsyncDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(120);
    private readonly TempFolder _folder;

    private CephRgw(TempFolder folder, int port)
    {
        _folder = folder;
        Port = port;
        Client = ClientFor(Endpoint);
    }

    /// <summary>Where the gateway listens, as a port of 127.0.0.1.</summary>
    public int Port { get; }

    /// <summary>Where the gateway listens, as a URL.</summary>
    public string Endpoint => $"http://127.0.0.1:{Port}";

    /// <summary>What the requests of the gateway's user carry.</summary>
    public string AccessKey { get; } = "test-access-key";

    /// <summary>What the requests of the gateway's user are signed with.</summary>
    public string SecretKey { get; } = "test-secret-key";

    /// <summary>Speaks to the gateway directly, as its user, without retries.</summary>
    public AmazonS3Client Client { get; }

    private static string Script => Path.Combine(Repository.Root, "scripts", "ceph-rgw.sh");

    /// <summary>Whether this machine has what it takes; if not, what to install.</summary>
    public static bool Available(out string reason)
    {
        var missing = new[] { "radosgw", "ceph-mon", "ceph-osd", "ceph" }.Where(tool => !Command.Exists(tool)).ToList();
        reason = missing.Count == 0
            ? ""
            : $"no {string.Join(", ", missing)} on PATH: apt-get install --no-install-recommends radosgw ceph-mon ceph-mgr ceph-osd ceph-common";
        return missing.Count == 0;
    }

    /// <summary>Starts a gateway, in about two seconds.</summary>
    /// <param name="onDisk">Keeps objects on the disk (bluestore) instead of in up to 2 GiB of memory.</param>
    public static async Task<CephRgw> StartAsync(bool onDisk = false)
    {
        var folder = new TempFolder();
        var port = FreePort.Next();
        try
        {
            await Command.SucceedAsync(
                Limit,
                Script,
                ["start", folder.Path, Text(port), Text(FreePort.Next()), onDisk ? "bluestore" : "memstore", Text(Environment.ProcessId)]);
            return new CephRgw(folder, port);
        }
        catch
        {
            await Command.RunAsync(Limit, Script, "stop", folder.Path);
            folder.Dispose();
            throw;
        }
    }

    /// <summary>A client of the gateway's user by way of another endpoint, such as a <see cref="FaultProxy"/>'s.</summary>
    public AmazonS3Client ClientFor(string endpoint) => new(
        new BasicAWSCredentials(AccessKey, SecretKey),
        new AmazonS3Config
        {
            ServiceURL = endpoint,
            AuthenticationRegion = "us-east-1",
            ForcePathStyle = true,
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            MaxErrorRetry = 0,
            // A reset connection is retried ten times over and above MaxErrorRetry; a test wants to see it.
            MaxStaleConnectionRetries = 0,
        });

    /// <summary>Creates a bucket, by default under a name of its own, and returns the name.</summary>
    public async Task<string> CreateBucketAsync(string? name = null)
    {
        name ??= $"bucket-{Guid.NewGuid():n}"[..20];
        await Client.PutBucketAsync(new PutBucketRequest { BucketName = name });
        return name;
    }

    /// <summary>The gateway's account of what is written to a bucket from now on.</summary>
    public GatewayLog LogOf(string bucket) => new(Client, _folder["log/client.rgw.a.log"], bucket);

    /// <summary>Stops the gateway, not the store behind it: connections are refused from now on. Takes about 1.5 s.</summary>
    public Task StopGatewayAsync() => RunAsync("stop-rgw");

    /// <summary>Starts the gateway again; everything stored is still there.</summary>
    public Task StartGatewayAsync() => RunAsync("start-rgw");

    /// <summary>Lets the gateway stand still: it takes connections and answers nothing.</summary>
    public Task PauseGatewayAsync() => RunAsync("pause");

    /// <summary>Lets it go on after <see cref="PauseGatewayAsync"/>.</summary>
    public Task ContinueGatewayAsync() => RunAsync("continue");

    /// <summary>Suspends the user; every request gets 403 from when this returns.</summary>
    public async Task SuspendUserAsync()
    {
        await RunAsync("suspend");
        await UntilUserIsAsync(HttpStatusCode.Forbidden);
    }

    /// <summary>Takes the suspension back; requests are served from when this returns.</summary>
    public async Task EnableUserAsync()
    {
        await RunAsync("enable");
        await UntilUserIsAsync(HttpStatusCode.OK);
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await RunAsync("stop");
        _folder.Dispose();
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private Task<string> RunAsync(string command) => Command.SucceedAsync(Limit, Script, command, _folder.Path);

    private async Task UntilUserIsAsync(HttpStatusCode wanted)
    {
        var seen = default(HttpStatusCode);
        await Wait.UntilAsync(
            async () =>
            {
                try
                {
                    seen = (await Client.ListBucketsAsync()).HttpStatusCode;
                }
                catch (AmazonS3Exception e)
                {
                    seen = e.StatusCode;
                }

                return seen == wanted;
            },
            Limit,
            $"the gateway to answer {(int)wanted} to its user",
            () => $"{(int)seen}");
    }
}
