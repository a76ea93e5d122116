export { type Channels, channel, channelProtocols, createChannels } from './channels.ts';
export { type RemoteCommandFlags, translateRemoteCommand } from './remote-command.ts';
export { createSpdyConnection, type SpdyConnection, type SpdyConnectionOptions } from './spdy/connection.ts';
export type { SpdyHeaders } from './spdy/header-block.ts';
export type { SpdyStream } from './spdy/stream.ts';
export {
  dialUpgrade,
  forwardedUpgradeHeaders,
  joinSockets,
  tunnelUpgrade,
  type UpgradeAnswer,
  type UpgradedClient,
  type UpgradeTarget,
} from './upgrade.ts';
export {
  acceptWebSocket,
  acceptWebSocketBytes,
  chooseProtocol,
  isWebSocketRequest,
  offeredProtocols,
  type WebSocketRequest,
} from './websocket.ts';
