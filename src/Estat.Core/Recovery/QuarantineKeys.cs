// Where the quarantine keeps things: <DLQ_PREFIX>/<name>.
using Estat.Core.Batching;

namespace Estat.Core.Recovery;

/// <summary>Keys of what cannot be read as gzip JSONL.</summary>
internal sealed class QuarantineKeys(string prefix)
{
    /// <summary>The one key of a batch of this name and form, whoever brings it there.</summary>
    internal string For(string name, BatchForm form) => $"{prefix}/{name}{(form == BatchForm.Gzip ? ObjectKeys.Extension : ".jsonl")}";
}
