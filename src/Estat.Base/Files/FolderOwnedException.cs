// Somebody else is at work in a folder.
namespace Estat.Base.Files;

/// <summary>Another process owns the folder; the message says what to do.</summary>
internal sealed class FolderOwnedException(string message, Exception? inner) : IOException(message, inner);
