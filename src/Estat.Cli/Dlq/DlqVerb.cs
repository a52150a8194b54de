// `estat dlq …`: batches whose upload failed.
namespace Estat.Cli.Dlq;

/// <summary>The verbs below it.</summary>
internal static class DlqVerb
{
    internal static Command Create() => new("dlq", "Lists, shows, retries, exports and discards batches whose upload failed")
    {
        DlqList.Create(),
        DlqShow.Create(),
        DlqRetry.Create(),
        DlqExport.Create(),
        DlqDiscard.Create(),
    };
}
