// A look at a DLQ file's meta.
namespace Estat.Collect.Dlq;

/// <summary>What a meta file says, or why it says nothing.</summary>
/// <param name="Meta">Its content; null when there is none.</param>
/// <param name="Trouble">What is wrong with it, for people; null when nothing is.</param>
/// <param name="IsKept">Whether it is there and cannot be read: nothing is done with the payload before it can, or is gone.</param>
internal readonly record struct MetaReading(DlqMeta? Meta, string? Trouble, bool IsKept);
