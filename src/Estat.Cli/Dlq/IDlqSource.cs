// Where a DLQ is: at a node, or in a folder whose server does not run.
namespace Estat.Cli.Dlq;

/// <summary>Pages of it and single files. Safe for concurrent use, but for <see cref="RetryAsync"/> and <see cref="DiscardAsync"/> of one
/// file.</summary>
internal interface IDlqSource : IDisposable
{
    /// <summary>For people: a URL or a folder.</summary>
    string Description { get; }

    /// <summary>The next page.</summary>
    /// <param name="limit">Files at most.</param>
    /// <param name="after">Where the last page ended; null at first.</param>
    /// <param name="cancellationToken">Ends it.</param>
    Task<DlqPage> PageAsync(int limit, string? after, CancellationToken cancellationToken);

    /// <summary>One file; null when it is not there (any more).</summary>
    Task<DlqFile?> ShowAsync(string name, int lines, CancellationToken cancellationToken);

    /// <summary>Copies the payload into an empty file; false when it is not there any more.</summary>
    Task<bool> CopyAsync(string name, FileStream target, CancellationToken cancellationToken);

    /// <summary>Tries to store it now.</summary>
    Task<DlqOutcome> RetryAsync(string name, CancellationToken cancellationToken);

    /// <summary>Gives it up.</summary>
    /// <returns>Events discarded; null when it is not there any more.</returns>
    /// <exception cref="Frame.CliException">It holds another number of events than <paramref name="events"/>.</exception>
    Task<long?> DiscardAsync(string name, long events, CancellationToken cancellationToken);
}

/// <summary>What follows from pages.</summary>
internal static class DlqSources
{
    /// <summary>Files in one page of a run over all.</summary>
    internal const int PageSize = 500;

    /// <summary>All files, a page in memory at a time.</summary>
    internal static async IAsyncEnumerable<DlqFile> AllAsync(
        this IDlqSource source, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        string? after = null;
        do
        {
            DlqPage page = await source.PageAsync(PageSize, after, cancellationToken).ConfigureAwait(false);
            foreach (DlqFile file in page.Files)
            {
                yield return file;
            }

            after = page.Next;
        }
        while (after is not null);
    }

    /// <summary>The named files, or all.</summary>
    internal static async IAsyncEnumerable<DlqFile> ChosenAsync(
        this IDlqSource source, IReadOnlyList<string> names,
        [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken cancellationToken)
    {
        if (names.Count == 0)
        {
            await foreach (DlqFile file in source.AllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return file;
            }

            yield break;
        }

        foreach (string name in names)
        {
            yield return await source.ShowAsync(name, 0, cancellationToken).ConfigureAwait(false)
                ?? throw new Frame.CliException($"{name}: no such file in the DLQ of {source.Description}. estat dlq list shows what there is");
        }
    }
}
