// Random bits without OpenSSL.
using System.Buffers.Binary;

namespace Estat.Base.Threading;

/// <summary>
/// Bits that nobody can guess, from the kernel by way of <see cref="Guid.NewGuid"/>. RandomNumberGenerator gives the same, and loads OpenSSL for it:
/// time at each start, and memory of a server that has no events yet.
/// </summary>
internal static class RandomBits
{
    /// <summary>64 of them.</summary>
    internal static ulong Next()
    {
        Span<byte> bytes = stackalloc byte[16];
        _ = Guid.NewGuid().TryWriteBytes(bytes);
        // A GUID has six fixed bits, no two of them at the same place of both halves.
        return BinaryPrimitives.ReadUInt64LittleEndian(bytes) ^ BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]);
    }
}
