// What a node keeps for itself beside its segments.
using Estat.Base.Files;

namespace Estat.Collect.Spooling;

internal sealed partial class Spool : IStateFiles
{
    /// <inheritdoc/>
    string IStateFiles.PathOf(string name) => Path.Combine(Folder, name);

    /// <inheritdoc/>
    byte[]? IStateFiles.Read(string name, int most) => _files.ReadWhole(name, most);

    /// <inheritdoc/>
    void IStateFiles.Write(string name, Action<Stream> write)
    {
        Look(); // the last look may be a second old
        ThrowIfGone();
        _files.Replace(name, write);
    }
}
