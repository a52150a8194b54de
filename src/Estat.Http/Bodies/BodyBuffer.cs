// A request's body in pooled memory, for those that did not arrive in one piece.
using System.Buffers;
using System.IO.Pipelines;

namespace Estat.Http.Bodies;

/// <summary>How reading a body ended.</summary>
internal enum BodyOutcome
{
    /// <summary>All of it is here.</summary>
    Whole,

    /// <summary>It is larger than allowed.</summary>
    TooLarge,

    /// <summary>The memory for bodies in progress is used up.</summary>
    NoMemory,

    /// <summary>Others need what is left of it: this client address holds its share.</summary>
    OverShare,
}

/// <summary>Growing memory, pooled while it is small, charged to a budget if there is one. Used by one request.</summary>
internal sealed class BodyBuffer(int limit, RequestMemory? memory) : IDisposable
{
    /// <summary>What most bodies fit in.</summary>
    internal const int FirstSize = 16 * 1024;

    // Larger buffers are left to the garbage collector: the shared pool keeps 32 of each size a core, and of these sizes that would be gigabytes
    // which no budget counts.
    private const int LargestPooled = 1 << 20;

    private byte[] _buffer = [];
    private int _charged;
    private int _length;

    /// <summary>What was read.</summary>
    internal ReadOnlySpan<byte> Bytes => _buffer.AsSpan(0, _length);

    /// <summary>Bytes of the budget that it holds.</summary>
    internal int Charged => _charged;

    /// <summary>The same as a segment of the pooled array; valid until more is written.</summary>
    internal ArraySegment<byte> Segment => new(_buffer, 0, _length);

    /// <summary>Room to write into, at least one byte; empty when the limit or the budget allows no more.</summary>
    internal bool TryGetRoom(out Memory<byte> room, out BodyOutcome problem)
    {
        problem = BodyOutcome.Whole;
        if (_length == _buffer.Length)
        {
            // One byte more than the limit shows that there is more.
            int size = (int)Math.Min(Math.Max(FirstSize, 2L * _buffer.Length), (long)limit + 1);
            if (size <= _length)
            {
                problem = BodyOutcome.TooLarge;
            }
            else if (memory is null || memory.TryTake(size - _charged, out problem))
            {
                _charged = size;
                byte[] larger = size <= LargestPooled ? ArrayPool<byte>.Shared.Rent(size) : GC.AllocateUninitializedArray<byte>(size);
                Bytes.CopyTo(larger);
                Return();
                _buffer = larger;
            }
        }

        room = _buffer.AsMemory(_length);
        return problem == BodyOutcome.Whole;
    }

    /// <summary>Counts bytes that were written into the room.</summary>
    internal bool TryAdvance(int count)
    {
        _length += count;
        return _length <= limit;
    }

    /// <summary>Reads a stream that does not wait to its end or to the limit.</summary>
    internal BodyOutcome ReadFrom(Stream stream)
    {
        while (true)
        {
            if (!TryGetRoom(out Memory<byte> room, out BodyOutcome problem))
            {
                return problem;
            }

            int read = stream.Read(room.Span);
            if (read == 0)
            {
                return BodyOutcome.Whole;
            }

            if (!TryAdvance(read))
            {
                return BodyOutcome.TooLarge;
            }
        }
    }

    /// <summary>Takes these bytes off the end, if it ends so.</summary>
    internal bool TryCutOff(ReadOnlySpan<byte> end)
    {
        bool endsSo = Bytes.EndsWith(end);
        _length -= endsSo ? end.Length : 0;
        return endsSo;
    }

    /// <summary>Reads what is here already.</summary>
    /// <exception cref="ClientLeftException">The client went away.</exception>
    internal static bool TryRead(PipeReader reader, out ReadResult result)
    {
        try
        {
            return reader.TryRead(out result);
        }
        catch (IOException error) when (IsOfClient(error))
        {
            throw new ClientLeftException(error);
        }
    }

    /// <summary>Reads the request's body to its end or to the limit.</summary>
    /// <param name="reader">The body.</param>
    /// <param name="pace">Is told what has come.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ClientLeftException">The client went away.</exception>
    /// <exception cref="OperationCanceledException">It did not end before the token was cancelled.</exception>
    internal async ValueTask<BodyOutcome> ReadAsync(PipeReader reader, BodyPace pace, CancellationToken cancellationToken)
    {
        // Not by handing the token on: Kestrel cannot throw away the rest of a body one of whose reads ended in an exception, and logs that as an
        // error.
        using CancellationTokenRegistration ending = cancellationToken.UnsafeRegister(static reader => End((PipeReader)reader!), reader);
        while (true)
        {
            ReadResult result;
            try
            {
                result = await reader.ReadAsync(CancellationToken.None).ConfigureAwait(false);
            }
            catch (IOException error) when (IsOfClient(error))
            {
                throw new ClientLeftException(error);
            }

            if (result.IsCanceled)
            {
                reader.AdvanceTo(result.Buffer.Start);
                throw new OperationCanceledException(cancellationToken);
            }

            BodyOutcome outcome = Copy(result.Buffer);
            reader.AdvanceTo(result.Buffer.End);
            if (outcome != BodyOutcome.Whole || result.IsCompleted)
            {
                return outcome;
            }

            pace.OnReceived(_length);
        }
    }

    public void Dispose()
    {
        Return();
        _buffer = [];
        memory?.Return(_charged);
        _charged = 0;
    }

    // Kestrel's complaint of a length, a chunk or a rate is no farewell.
    private static bool IsOfClient(IOException error) => error is not BadHttpRequestException && error.InnerException is not OverflowException;

    // Kestrel throws here what it has for the reader when the client has just left. The reader gets it anyway; here it would reach the code that
    // cancels, which may be a timer's thread and so the process.
    private static void End(PipeReader reader)
    {
        try
        {
            reader.CancelPendingRead();
        }
        catch (Exception)
        {
            // Whatever it is, the read ends by itself, or with its connection.
        }
    }

    private BodyOutcome Copy(ReadOnlySequence<byte> sequence)
    {
        foreach (ReadOnlyMemory<byte> segment in sequence)
        {
            ReadOnlySpan<byte> rest = segment.Span;
            while (!rest.IsEmpty)
            {
                if (!TryGetRoom(out Memory<byte> room, out BodyOutcome problem))
                {
                    return problem;
                }

                int count = Math.Min(room.Length, rest.Length);
                rest[..count].CopyTo(room.Span);
                rest = rest[count..];
                if (!TryAdvance(count))
                {
                    return BodyOutcome.TooLarge;
                }
            }
        }

        return BodyOutcome.Whole;
    }

    private void Return()
    {
        if (_buffer.Length is > 0 and <= LargestPooled)
        {
            ArrayPool<byte>.Shared.Return(_buffer);
        }
    }
}
