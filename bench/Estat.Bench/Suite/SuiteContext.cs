// What every part of the suite is given.
using Estat.Bench.Load;

namespace Estat.Bench.Suite;

/// <summary>A folder for what is written, the options, a way to say how far things are, and word of Ctrl-C. Requests are made when first asked
/// for.</summary>
internal sealed class SuiteContext(SuiteOptions options, string folder, CancellationToken stop)
{
    internal const int EventsPerBatch = 500;
    private readonly Lazy<RequestFile> _pageViews = new(() => RequestFile.PageViews(folder));
    private readonly Lazy<RequestFile> _batches = new(() => RequestFile.Batches(folder, EventsPerBatch, gzip: false));
    private readonly Lazy<RequestFile> _gzipBatches = new(() => RequestFile.Batches(folder, EventsPerBatch, gzip: true));

    internal SuiteOptions Options => options;

    internal string Folder => folder;

    internal CancellationToken Stop => stop;

    /// <summary>Single events of about 500 bytes.</summary>
    internal RequestFile PageViews => _pageViews.Value;

    /// <summary>The same events, 500 a request.</summary>
    internal RequestFile Batches => _batches.Value;

    /// <summary>The same, compressed by the client.</summary>
    internal RequestFile GzipBatches => _gzipBatches.Value;

    /// <summary>A folder of somebody's own.</summary>
    internal string FolderOf(string name) => Directory.CreateDirectory(Path.Combine(folder, name.Replace(' ', '-'))).FullName;

    /// <summary>Tells whoever waits how far it is; not part of what is printed in the end.</summary>
    internal void Say(string text)
    {
        stop.ThrowIfCancellationRequested();
        Console.Error.WriteLine($"{DateTime.Now:HH:mm:ss} {text}");
    }
}
